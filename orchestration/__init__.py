"""The way from raw files to a release: landing gate, Dagster job, audit, release and command line.

What a number means belongs in the dbt models, what is plausible in the expectations. This package
moves data, judges its shape and reports; it knows no model by name.
"""
