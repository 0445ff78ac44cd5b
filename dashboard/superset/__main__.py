"""Writes the files that `superset import-directory` reads; `--help` says how."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dashboard.superset.assets import assets, write
from dashboard.superset.datasets import DEMO_RELEASE
from orchestration.transform.manifest import Manifest


def main(
    manifest: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="dbt's manifest.json.")
    ],
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the files go.")],
    *,
    release: Annotated[
        Path,
        typer.Option(help="The released file, as the Superset server finds it."),
    ] = DEMO_RELEASE,
) -> None:
    """Write connection, datasets, charts and dashboard for Superset."""
    try:
        files = assets(Manifest.read(manifest), release=release)
    except ValueError as error:
        Console(stderr=True).print(str(error), markup=False)
        raise typer.Exit(2) from error
    write(files, folder)
    Console().print(f"{len(files)} files in {folder}", markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
