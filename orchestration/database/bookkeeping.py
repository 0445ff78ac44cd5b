"""What a run notes about itself in the build's database, so that its steps need not share memory.

A step reads here what the steps before it did; the release carries it on to readers.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.database.sql_text import quoted_name
from orchestration.database.transactions import one_transaction

SCHEMA = "bookkeeping"
LANDINGS = quoted_name(SCHEMA, "landings")
CHECKS = quoted_name(SCHEMA, "check_results")
FOLDERS = quoted_name(SCHEMA, "folders")
STEPS = quoted_name(SCHEMA, "completed_steps")

CLOCK_RELATION = ("staging", "stg_clock")
CLOCK = quoted_name(*CLOCK_RELATION)

# what became of each raw row, in the build and in its release: fixed names of the data contract
RECONCILIATION = ("quality", "row_reconciliation")

BUILT, AUDITED = "build", "audit"

# what has to be done well before anything is released
RELEASABLE = frozenset({BUILT, AUDITED})

Status = Literal["passed", "warned", "failed"]


@dataclass(frozen=True)
class CheckResult:
    """One check of a run, whoever made it; its fields are columns of `quality.check_results`."""

    check_name: str
    kind: Literal["data test", "expectation"]
    suite: str
    table_name: str
    column_name: str | None
    severity: Literal["error", "critical", "warning"]
    status: Status
    failures: int
    message: str
    why: str
    owner: str
    what_to_do: str


CHECK_COLUMNS: Mapping[str, tuple[str, str]] = {
    "check_name": ("varchar", "What should hold."),
    "kind": ("varchar", "`data test` of the build or `expectation` of the audit."),
    "suite": ("varchar", "Suite of an expectation; folder in which a data test is declared."),
    "table_name": ("varchar", "Table at fault if it fails, with its schema."),
    "column_name": ("varchar", "Column at fault; null where it is about rows."),
    "severity": ("varchar", "`error` and `critical` stop a release, `warning` does not."),
    "status": ("varchar", "`passed`, or `warned`, or `failed`, which no release has."),
    "failures": ("bigint", "Rows or figures that broke it."),
    "message": ("varchar", "What was seen; empty where it passed."),
    "why": ("varchar", "What goes wrong for readers if it is ignored."),
    "owner": ("varchar", "Who mends it; empty if nobody is named."),
    "what_to_do": ("varchar", "Where to begin; empty if nothing is said."),
    "as_of": ("timestamp", "Knowledge horizon of the figures that were judged, UTC."),
    "checked_at": ("timestamp", "When it was judged, UTC."),
}


@dataclass(frozen=True)
class Landing:
    """What a run built from; `parameters` are all vars, whether the project's own or given."""

    raw_fingerprint: str
    raw_files: int
    raw_rows: int
    parameters: Mapping[str, str | int | float | bool | None]
    landed_at: datetime


def note_landing(connection: duckdb.DuckDBPyConnection, landing: Landing) -> None:
    """Begins the books of a run: what went before is forgotten."""
    connection.execute(f"create schema if not exists {quoted_name(SCHEMA)}")
    connection.execute(f"drop table if exists {FOLDERS}")
    connection.execute(f"create or replace table {STEPS} (step varchar primary key)")
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in CHECK_COLUMNS.items())
    connection.execute(f"create or replace table {CHECKS} ({columns})")
    connection.execute(
        f"create or replace table {LANDINGS} (raw_fingerprint varchar, raw_files bigint,"
        " raw_rows bigint, parameters varchar, landed_at timestamp)"
    )
    connection.execute(
        f"insert into {LANDINGS} values (?, ?, ?, ?, ?)",
        [
            landing.raw_fingerprint,
            landing.raw_files,
            landing.raw_rows,
            json.dumps(dict(landing.parameters), sort_keys=True),
            landing.landed_at.replace(tzinfo=None),
        ],
    )


def read_landing(connection: duckdb.DuckDBPyConnection, *, catalog: str) -> Landing:
    """What the build in the attached database `catalog` was made from."""
    rows = connection.execute(f"select * from {quoted_name(catalog)}.{LANDINGS}").fetchall()
    raw_fingerprint, raw_files, raw_rows, parameters, landed_at = rows[0]
    return Landing(raw_fingerprint, raw_files, raw_rows, json.loads(parameters), landed_at)


def note_folder(
    connection: duckdb.DuckDBPyConnection, relation: tuple[str, str], folder: Path
) -> None:
    """Notes where the files of a table are that another engine than DuckDB has made."""
    connection.execute(
        f"create table if not exists {FOLDERS}"
        " (table_schema varchar, table_name varchar, folder varchar,"
        " primary key (table_schema, table_name))"
    )
    connection.execute(
        f"insert or replace into {FOLDERS} values (?, ?, ?)", [*relation, str(folder)]
    )


def read_folders(
    connection: duckdb.DuckDBPyConnection, *, catalog: str
) -> dict[tuple[str, str], Path]:
    """The folders of such tables in the attached database `catalog`; none of a build by DuckDB."""
    try:
        rows = connection.execute(f"from {quoted_name(catalog)}.{FOLDERS}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {(schema, name): Path(folder) for schema, name, folder in rows}


def note_checks(
    connection: duckdb.DuckDBPyConnection,
    results: Iterable[CheckResult],
    *,
    as_of: datetime | None,
    checked_at: datetime,
) -> None:
    """Adds results of checks; `as_of` is None where the build broke before it had a clock."""
    rows = [(*astuple(result), as_of, checked_at.replace(tzinfo=None)) for result in results]
    if rows:
        marks = ", ".join("?" for _ in CHECK_COLUMNS)
        with one_transaction(connection):
            connection.executemany(f"insert into {CHECKS} values ({marks})", rows)


def read_checks(connection: duckdb.DuckDBPyConnection, relation: str) -> list[CheckResult]:
    """The results in `relation`, what failed first."""
    names = ", ".join(field.name for field in fields(CheckResult))
    rows = connection.execute(
        f"select {names} from {relation}"
        " order by case status when 'failed' then 0 when 'warned' then 1 else 2 end,"
        " table_name, check_name, suite"
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def note_step(connection: duckdb.DuckDBPyConnection, step: str) -> None:
    """Notes that all of a step was done, and well.

    A release needs those of `RELEASABLE`; a part of a build has a name of its own.
    """
    connection.execute(f"insert or ignore into {STEPS} values (?)", [step])


def forget_steps(connection: duckdb.DuckDBPyConnection, steps: Iterable[str]) -> None:
    """Takes back that these were done, as by who is about to write what they stand for."""
    if _exists(connection, "completed_steps"):
        connection.execute(f"delete from {STEPS} where list_contains(?, step)", [list(steps)])


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where database_name = current_database()"
            " and schema_name = ? and table_name = ?",
            [SCHEMA, table],
        ).fetchall()
    )


def completed_steps(
    connection: duckdb.DuckDBPyConnection, *, catalog: str | None = None
) -> set[str]:
    """The steps that were done well since the landing; empty if there was none.

    `catalog` names the build's database where it is attached to another.
    """
    steps = f"{quoted_name(catalog)}.{STEPS}" if catalog else STEPS
    try:
        rows = connection.execute(f"select step from {steps}").fetchall()
    except duckdb.CatalogException:
        return set()
    return {step for (step,) in rows}


def knowledge_horizon(
    connection: duckdb.DuckDBPyConnection, *, catalog: str | None = None
) -> datetime | None:
    """The `as_of` of the build, UTC without a zone; None if the build broke before it had one.

    `catalog` names the build's database where it is attached to another.
    """
    clock = f"{quoted_name(catalog)}.{CLOCK}" if catalog else CLOCK
    try:
        rows = connection.execute(f"select as_of from {clock}").fetchall()
    except duckdb.CatalogException:
        return None
    as_of: datetime | None = rows[0][0] if rows else None
    return as_of
