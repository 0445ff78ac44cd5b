"""`python -m benchmarks`: what `make benchmark` runs."""

import typer

from benchmarks.run import main

typer.run(main)
