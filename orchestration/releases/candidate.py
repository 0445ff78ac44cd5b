"""A release in the making: the marts copied, its account of itself, and both held to the build."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.transactions import one_transaction
from orchestration.database.warehouse import (
    STORAGE_VERSION,
    Warehouse,
    unreadable_told,
)
from orchestration.errors import BuildError
from orchestration.releases.kept import (
    RELEASES,
    kept_file,
    kept_releases,
    read_release,
)
from orchestration.releases.restatements import (
    CAUSE_COLUMNS,
    RESTATEMENT_COLUMNS,
    Basis,
    insert_causes,
    insert_restatements,
)
from orchestration.transform.manifest import RELEASED_SCHEMAS, Manifest, ReleasedTable

# a copy needs little, and the build's own memory is still warm beside it
MEMORY_LIMIT = "1GB"
# where the copying puts what its memory does not hold
SPILL = ".spill"
BUILD = "build"
CANDIDATE = "candidate"
EARLIER = "earlier"
REMOVED = "remove it, and what it alone tells of earlier releases is lost"
CHECK_RESULTS = ("quality", "check_results")
RESTATEMENTS = ("quality", "kpi_restatements")
RESTATEMENT_CAUSES = ("quality", "restatement_causes")
RELEASE_COLUMNS: Mapping[str, tuple[str, str]] = {
    "release_id": ("varchar", "Identifies the release: when it was made, UTC. Primary key."),
    "released_at": ("timestamp", "When it was released, UTC."),
    "as_of": ("timestamp", "Knowledge horizon of its figures, UTC."),
    "raw_fingerprint": ("varchar", "Hash of the raw files that it was built from."),
    "raw_files": ("bigint", "Raw files that it was built from."),
    "raw_rows": ("bigint", "Rows in those files."),
    "project_version": ("varchar", "Version of the dbt project that built it."),
    "parameters": ("varchar", "Vars that its figures were made with, as JSON."),
    "row_counts": ("varchar", "Rows of each released table, as JSON."),
}


@contextmanager
def attached(warehouse: Warehouse, **databases: tuple[Path, str]) -> Iterator[Any]:
    """A connection in memory to databases of a warehouse, each a path with its options, by name."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(warehouse.root / SPILL),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        for catalog, (path, options) in databases.items():
            connection.execute(
                f"attach {quoted_text(str(path))} as {quoted_name(catalog)}"
                + (f" ({options})" if options else "")
            )
        yield connection


def write_candidate(
    warehouse: Warehouse,
    manifest: Manifest,
    candidate: Path,
) -> dict[str, int]:
    """Copies the released tables into a new file; returns the rows of each."""
    storage = f"storage_version {quoted_text(STORAGE_VERSION)}"
    with attached(
        warehouse, build=(warehouse.build_file, "read_only"), candidate=(candidate, storage)
    ) as connection:
        missing = bookkeeping.RELEASABLE - bookkeeping.completed_steps(connection, catalog=BUILD)
        if missing:
            raise BuildError(
                f"the {' and the '.join(sorted(missing))} of this data did not pass,"
                " so it can't be released: run the whole job, or `tenure run`"
            )
        for schema in RELEASED_SCHEMAS:
            connection.execute(f"create schema {quoted_name(CANDIDATE, schema)}")
        row_counts = {}
        for table in manifest.released_tables():
            rows = _copy_table(connection, table)
            row_counts[f"{table.schema}.{table.name}"] = rows
    return row_counts


def _copy_table(connection: duckdb.DuckDBPyConnection, table: ReleasedTable) -> int:
    columns = connection.execute(
        "select column_name, data_type, is_nullable from duckdb_columns()"
        " where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [BUILD, table.schema, table.name],
    ).fetchall()
    if not columns:
        raise BuildError(
            f"{table.schema}.{table.name} is not in the build: run `tenure run --full-refresh`"
        )
    definitions = [
        f"{quoted_name(name)} {kind}{'' if is_nullable else ' not null'}"
        for name, kind, is_nullable in columns
    ]
    if table.primary_key:
        key = ", ".join(quoted_name(name) for name in table.primary_key)
        definitions.append(f"primary key ({key})")
    target = quoted_name(CANDIDATE, table.schema, table.name)
    source = quoted_name(BUILD, table.schema, table.name)
    names = {name for name, _, _ in columns}
    with one_transaction(connection):
        connection.execute(f"create table {target} ({', '.join(definitions)})")
        ((rows,),) = connection.execute(f"insert into {target} select * from {source}").fetchall()
        _describe(
            connection,
            (table.schema, table.name),
            table.description,
            {name: text for name, text in table.column_descriptions.items() if name in names},
        )
    return int(rows)


def _describe(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    description: str,
    columns: Mapping[str, str],
) -> None:
    target = quoted_name(CANDIDATE, *table)
    connection.execute(f"comment on table {target} is {quoted_text(description)}")
    for name, text in columns.items():
        connection.execute(f"comment on column {target}.{quoted_name(name)} is {quoted_text(text)}")


def _create_described(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    description: str,
    columns: Mapping[str, tuple[str, str]],
) -> None:
    definitions = ", ".join(f"{quoted_name(name)} {kind}" for name, (kind, _) in columns.items())
    texts = {name: text for name, (_, text) in columns.items()}
    with one_transaction(connection):
        connection.execute(f"create table {quoted_name(CANDIDATE, *table)} ({definitions})")
        _describe(connection, table, description, texts)


def write_account(
    warehouse: Warehouse,
    manifest: Manifest,
    candidate: Path,
    *,
    release_id: str,
    released_at: datetime,
    project_version: str,
    row_counts: Mapping[str, int],
) -> None:
    """Adds what the release tells of itself: its checks, all releases, and what they restated."""
    with attached(
        warehouse, build=(warehouse.build_file, "read_only"), candidate=(candidate, "")
    ) as connection:
        _write_check_results(connection)
        releases = "One row per release, this one and all before it."
        target = _create_history(connection, warehouse, RELEASES, releases, RELEASE_COLUMNS)
        landing = bookkeeping.read_landing(connection, catalog=BUILD)
        connection.execute(
            f"insert into {target} values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                release_id,
                released_at,
                bookkeeping.knowledge_horizon(connection, catalog=BUILD),
                landing.raw_fingerprint,
                landing.raw_files,
                landing.raw_rows,
                project_version,
                json.dumps(dict(landing.parameters), sort_keys=True),
                json.dumps(dict(row_counts), sort_keys=True),
            ],
        )
        _write_restatements(
            connection,
            warehouse,
            manifest,
            release_id=release_id,
            released_at=released_at,
            project_version=project_version,
        )
        connection.execute(f"checkpoint {quoted_name(CANDIDATE)}")


def _write_check_results(connection: duckdb.DuckDBPyConnection) -> None:
    description = (
        "One row per check of the run that made this release, data tests and expectations."
    )
    _create_described(connection, CHECK_RESULTS, description, bookkeeping.CHECK_COLUMNS)
    connection.execute(
        f"insert into {quoted_name(CANDIDATE, *CHECK_RESULTS)}"
        f" select * from {quoted_name(BUILD)}.{bookkeeping.CHECKS}"
        " order by kind, suite, table_name, check_name"
    )


def _write_restatements(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    manifest: Manifest,
    *,
    release_id: str,
    released_at: datetime,
    project_version: str,
) -> None:
    description = (
        "One row per release, headline figure and month that was over in the release before it:"
        " what the figure was and what it is, where it changed."
    )
    target = _create_history(connection, warehouse, RESTATEMENTS, description, RESTATEMENT_COLUMNS)
    description = (
        "One row per release, month of which it changed a headline figure, and what can have"
        " changed it: raw rows by table, parameters, the project."
    )
    causes = _create_history(connection, warehouse, RESTATEMENT_CAUSES, description, CAUSE_COLUMNS)
    as_of = bookkeeping.knowledge_horizon(connection, catalog=BUILD)
    if not as_of or not warehouse.release_file.exists():
        return
    previous = read_release(warehouse.release_file)
    landing = bookkeeping.read_landing(connection, catalog=BUILD)
    with _earlier_release(connection, warehouse.release_file):
        insert_restatements(
            connection,
            manifest.headline_figures(),
            target=target,
            catalog=CANDIDATE,
            earlier=EARLIER,
            release_id=release_id,
            previous_release_id=previous.release_id,
            as_of=as_of,
            previous_as_of=previous.as_of,
            restated_at=released_at,
        )
        insert_causes(
            connection,
            manifest.raw_events(),
            target=causes,
            restatements=target,
            build=BUILD,
            earlier=EARLIER,
            release_id=release_id,
            now=Basis(as_of, landing.raw_fingerprint, project_version, landing.parameters),
            before=Basis(
                previous.as_of,
                previous.raw_fingerprint,
                previous.project_version,
                previous.parameters,
            ),
        )


@contextmanager
def _earlier_release(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    with unreadable_told(path, remedy=REMOVED):
        connection.execute(f"attach {quoted_text(str(path))} as {quoted_name(EARLIER)} (read_only)")
    try:
        yield
    finally:
        connection.execute(f"detach {quoted_name(EARLIER)}")


def _create_history(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    table: tuple[str, str],
    description: str,
    columns: Mapping[str, tuple[str, str]],
) -> str:
    """Makes a table that goes on from release to release, with what came before; its name."""
    _create_described(connection, table, description, columns)
    target = quoted_name(CANDIDATE, *table)
    # after a rollback the release that stands knows nothing of those after it; the kept ones do
    kept = [kept_file(warehouse, each) for each in kept_releases(warehouse)]
    for path in [*kept, warehouse.release_file]:
        if path.exists():
            with _earlier_release(connection, path):
                _carry_on(connection, table, target, columns)
    return target


def _carry_on(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    target: str,
    columns: Mapping[str, tuple[str, str]],
) -> None:
    earlier = quoted_name(EARLIER, *table)
    present = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ?"
        " and table_name = ? order by column_index",
        [EARLIER, *table],
    ).fetchall()
    # an earlier version of this program may have noted more or less, or nothing
    names = ", ".join(quoted_name(name) for (name,) in present if name in columns)
    if names:
        connection.execute(
            f"insert into {target} by name select {names} from {earlier}"
            f" where release_id not in (select release_id from {target}) order by release_id"
        )


def verify(warehouse: Warehouse, manifest: Manifest, candidate: Path) -> None:
    """Raises BuildError where a table of the copy is not equal to that of the build."""
    with attached(
        warehouse, build=(warehouse.build_file, "read_only"), candidate=(candidate, "read_only")
    ) as connection:
        for table in manifest.released_tables():
            built, copied = (
                connection.execute(
                    "select count(*), coalesce(sum(hash(row_of)), 0)"
                    f" from {quoted_name(catalog, table.schema, table.name)} as row_of"
                ).fetchall()
                for catalog in (BUILD, CANDIDATE)
            )
            if built != copied:
                raise BuildError(
                    f"the copy of {table.schema}.{table.name} is not equal to the build"
                    f" ({copied[0][0]} rows of {built[0][0]}): nothing was released."
                    " Check the disk, then run again."
                )
