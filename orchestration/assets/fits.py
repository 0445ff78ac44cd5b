"""The fits: between two parts of a build, Python fits parameters to tables of the first.

The dbt source `fitted` declares the tables, which function makes each and which models that one is
given; the functions are in `fitting` and know no database. What stands on the tables is built
afterwards.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa

from orchestration.assets.models import keys_by_node
from orchestration.assets.refresh import POOL, Refresh, told_to_dagster
from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name
from orchestration.database.transactions import one_transaction
from orchestration.database.warehouse import Warehouse, disk_full_told, private_files
from orchestration.errors import BuildError
from orchestration.transform.manifest import FITTED_SOURCE, FittedTable, Manifest
from orchestration.transform.spark import Spark

# what a fit is given, by role, and what it gives back: rows by the name of the table
Given = Mapping[str, pa.Table]
Rows = Sequence[Mapping[str, Any]]
Fit = Callable[[Given], Mapping[str, Rows]]


def _fit_survival(given: Given) -> Mapping[str, Rows]:
    # SciPy takes a second to load, which only a run should cost
    from fitting.strata import fit_strata

    return fit_strata(given["strata"].to_pylist(), given["counts"].to_pylist())


def _fit_risk(given: Given) -> Mapping[str, Rows]:
    # so does scikit-learn
    from fitting.scorecard import fit_risk

    return fit_risk(given["observed"])


FITS: Mapping[str, Fit] = {"survival": _fit_survival, "risk": _fit_risk}


def build_fit_assets(
    manifest: Manifest, built: dg.AssetsDefinition
) -> tuple[dg.AssetsDefinition, ...]:
    """An asset step for each fit, after the part of the build that it reads.

    Raises ValueError where the source names a fit that does not exist.
    """
    tables = manifest.fitted_tables()
    return tuple(
        _build_fit_asset(
            fit, [table for table in tables if table.fit == fit], manifest, keys_by_node(built)
        )
        for fit in sorted({table.fit for table in tables})
    )


def _build_fit_asset(
    fit: str,
    tables: Sequence[FittedTable],
    manifest: Manifest,
    keys: Mapping[str, dg.AssetKey],
) -> dg.AssetsDefinition:
    if fit not in FITS:
        raise ValueError(f"source {FITTED_SOURCE} names the fit {fit!r}; known: {', '.join(FITS)}")

    @dg.multi_asset(
        name=f"fit_{fit}",
        specs=[
            dg.AssetSpec(
                [FITTED_SOURCE, table.name],
                deps=[keys[unique_id] for unique_id in table.reads.values()],
                group_name=FITTED_SOURCE,
                description=table.description,
                kinds={"python", "duckdb"},
            )
            for table in tables
        ],
        pool=POOL,
    )
    def fit_tables(refresh: Refresh) -> Iterator[dg.MaterializeResult[None]]:
        refresh.reporter.stage(f"fitting: {fit}")
        with told_to_dagster(), private_files(), disk_full_told(refresh.place.root):
            rows = run_fit(refresh.place, manifest, fit, spark=refresh.spark)
        for table in tables:
            yield dg.MaterializeResult(
                asset_key=[FITTED_SOURCE, table.name],
                metadata={"dagster/row_count": rows[table.name]},
            )

    return fit_tables


def run_fit(
    place: Warehouse, manifest: Manifest, fit: str, *, spark: Spark | None = None
) -> dict[str, int]:
    """Makes the tables of a fit in the build's database, and in Spark's; returns the rows of each.

    Raises BuildError where a model that it reads is missing.
    """
    tables = [table for table in manifest.fitted_tables() if table.fit == fit]
    reads = {role: unique_id for table in tables for role, unique_id in table.reads.items()}
    with duckdb.connect(str(place.build_file)) as connection:
        given = {
            role: _read(connection, quoted_name(*manifest.relation(unique_id)))
            for role, unique_id in reads.items()
        }
        fitted = FITS[fit](given)
        bookkeeping.forget_steps(connection, {fit, *bookkeeping.RELEASABLE})
        with one_transaction(connection):
            for table in tables:
                _write(connection, table, fitted[table.name])
        if spark:
            for table in tables:
                spark.lay_fitted_table(table, connection)
        bookkeeping.note_step(connection, fit)
    return {name: len(rows) for name, rows in fitted.items()}


def _read(connection: duckdb.DuckDBPyConnection, relation: str) -> pa.Table:
    try:
        # in one order, so that a fit that depends on it gives the same every time
        return connection.execute(f"select * from {relation} order by all").to_arrow_table()
    except duckdb.CatalogException as error:
        raise BuildError(
            f"{relation} is not built yet: run the whole job, or `tenure run`"
        ) from error


def _write(connection: duckdb.DuckDBPyConnection, table: FittedTable, rows: Rows) -> None:
    relation = quoted_name(FITTED_SOURCE, table.name)
    columns = ", ".join(f"{quoted_name(name)} {kind}" for name, kind in table.columns.items())
    connection.execute(f"create schema if not exists {quoted_name(FITTED_SOURCE)}")
    connection.execute(f"create or replace table {relation} ({columns})")
    if rows:
        made = pa.Table.from_pylist([dict(row) for row in rows])
        names = ", ".join(quoted_name(name) for name in table.columns)
        connection.register("made", made)
        connection.execute(f"insert into {relation} select {names} from made")
        connection.unregister("made")
