"""A raw folder built with its fits, without Dagster around it and without a release.

For tests that look at many marts of many services, or at what stands on fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.assets.fits import FITS, run_fit
from orchestration.assets.models import ON_FITS
from orchestration.database import bookkeeping
from orchestration.database.warehouse import Warehouse
from orchestration.raw import landing
from orchestration.raw.contract import RawTable
from orchestration.raw.folder import open_raw_folder
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import ParsedProject
from orchestration.transform.spark import Spark, read_outside_spark


def write_headers(raw: Path, tables: Iterable[RawTable]) -> None:
    """Write each table as a CSV file with a header and no row."""
    for table in tables:
        (raw / table.name).mkdir(parents=True)
        header = ",".join(column.name for column in table.columns)
        (raw / table.name / "nothing.csv").write_text(header + "\n", encoding="utf-8")


def build_service(
    parsed: ParsedProject,
    raw: Path,
    place: Warehouse,
    *,
    marts: Sequence[str] = (),
    fits: Sequence[str] = tuple(FITS),
    tests: Literal["all", "none"] = "all",
    spark: Spark | None = None,
) -> None:
    """Build the models of the raw folder, fit, and build what stands on the fits.

    With `spark`, for whose target the project has to be parsed, on that engine. With `marts`, these
    alone and what they stand on; without `fits`, nothing that stands on one. Raises AssertionError
    with what dbt said of each node that did not go well.
    """
    place.prepare()
    land(parsed, raw, place, spark)
    ancestry = [f"+{mart}" for mart in marts]
    # what a fit reads is not upstream of what stands on it, as dbt sees it
    read = [f"+{name}" for name in _read_by(parsed, fits)] if marts else []
    run_dbt(parsed, place, select=[*ancestry, *read], exclude=[ON_FITS], tests=tests)
    _lay_views(parsed, place, spark)
    if not fits:
        return
    for fit in fits:
        run_fit(place, parsed.manifest, fit, spark=spark)
    on_fits = [f"{ON_FITS},{each}" for each in ancestry] or [ON_FITS]
    run_dbt(parsed, place, select=on_fits, exclude=[], tests=tests)
    _lay_views(parsed, place, spark)


def _lay_views(parsed: ParsedProject, place: Warehouse, spark: Spark | None) -> None:
    if not spark:
        return
    read = read_outside_spark(parsed.manifest)
    built = {
        (schema, name)
        for schema in {schema for schema, _ in read}
        for _, name, _ in spark.rows(f"show tables in {schema}")
    }
    with duckdb.connect(str(place.build_file)) as connection:
        spark.lay_views(connection, [relation for relation in read if relation in built])


def _read_by(parsed: ParsedProject, fits: Sequence[str]) -> set[str]:
    return {
        parsed.manifest.node(unique_id)["name"]
        for table in parsed.manifest.fitted_tables()
        if table.fit in fits
        for unique_id in table.reads.values()
    }


def land(parsed: ParsedProject, raw: Path, place: Warehouse, spark: Spark | None) -> None:
    """Lay the raw tables, and begin the books of a run."""
    contract = parsed.project.contract()
    folder = open_raw_folder(raw, contract)
    inspection = landing.inspect(folder, contract)
    assert not inspection.faults, inspection.faults
    with duckdb.connect(str(place.build_file)) as connection:
        landing.lay_views(connection, inspection)
        bookkeeping.note_landing(
            connection,
            bookkeeping.Landing(
                raw_fingerprint=folder.fingerprint(),
                raw_files=len(folder.files),
                raw_rows=sum(table.rows for table in inspection.tables),
                parameters={},
                landed_at=datetime.now(UTC),
            ),
        )
    if spark:
        spark.start()
        spark.lay_raw_tables(inspection)


def run_dbt(
    parsed: ParsedProject,
    place: Warehouse,
    *,
    select: Sequence[str],
    exclude: Sequence[str],
    tests: Literal["all", "none"],
) -> None:
    """Build what is selected, with its tests or without; raises AssertionError where it fails."""
    build = parsed.project.start(
        place,
        check_parameters(parsed.project.root).parameters,
        parsed=parsed.parsed,
        select=tuple(select),
        exclude=tuple(exclude),
        tests=tests,
    )
    for _ in build:
        pass
    assert build.error() is None, build.error()
    assert build.finished, "nothing was selected"
    failed = [(node.unique_id, node.message) for node in build.finished if not node.is_success]
    assert failed == []
