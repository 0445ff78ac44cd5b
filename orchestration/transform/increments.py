"""Whether a run may add to the tables of the last build, and what has come since that.

A build that was whole leaves its *basis*: horizon, parameters, project, raw files, and of some
models the rows that tell what it knew (source `basis`). The next run adds to its tables where all
of that still holds, files of what grows have only been added and the horizon has at most moved on:
it lays what the last build did not see as views (source `arrivals`), and the models do the rest.
The basis goes before a build begins to write and comes when it was whole, so that after one which
was killed everything is built anew.

What belongs here is what an increment may stand on; which rows it touches, the models say.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name
from orchestration.database.transactions import one_transaction
from orchestration.raw import landing
from orchestration.raw.contract import SOURCE_NAME, RawContract
from orchestration.raw.folder import RawFolder
from orchestration.transform.horizon import horizon_to_be
from orchestration.transform.manifest import ARRIVALS_SOURCE, BASIS_SOURCE, KeptTable, Manifest
from orchestration.transform.parameters import AS_OF, Parameters, VarValue
from orchestration.transform.spark import Spark

PLANS = quoted_name(bookkeeping.SCHEMA, "build_plans")
GROUNDS = quoted_name(bookkeeping.SCHEMA, "grounds")
# by what Spark knows the build again of which the ground tells
MARKS = quoted_name(bookkeeping.SCHEMA, "marks")


@dataclass(frozen=True)
class Ground:
    """What a build stands on: two of the same ground differ by files and horizon alone.

    `files` are those of the tables that an increment does not read whole: path → size and time of
    the last change.
    """

    project: str
    parameters: Mapping[str, str | int | float | bool | None]
    files: Mapping[str, tuple[int, int]]

    def as_json(self) -> str:
        """The ground as text, from which `from_json` makes it again."""
        return json.dumps([self.project, dict(self.parameters), dict(self.files)])

    @classmethod
    def from_json(cls, text: str) -> "Ground":
        """The ground that `as_json` wrote."""
        project, parameters, files = json.loads(text)
        return cls(project, parameters, {name: tuple(known) for name, known in files.items()})


def ground_of(
    folder: RawFolder, contract: RawContract, parameters: Parameters, *, project: str
) -> Ground:
    """What a build of these files would stand on; `project` tells its SQL from any other."""
    given = {name: value for name, value in parameters.overrides.items() if name != AS_OF}
    files = {
        str(file.path): (status.st_size, status.st_mtime_ns)
        for table in contract.tables
        if table.has_arrivals
        for file in folder.files_of(table.name)
        for status in [file.path.stat()]
    }
    return Ground(project, given, files)


def can_add(basis: Ground, ground: Ground) -> bool:
    """Whether a build on `ground` may add to the tables of one on `basis`, horizons aside.

    Not where a file has gone or is another.
    """
    return (basis.project, basis.parameters) == (ground.project, ground.parameters) and all(
        ground.files.get(name) == known for name, known in basis.files.items()
    )


def plan(
    connection: duckdb.DuckDBPyConnection,
    folder: RawFolder,
    contract: RawContract,
    manifest: Manifest,
    ground: Ground,
    *,
    as_of: VarValue,
    full_refresh: bool,
    spark: Spark | None = None,
) -> bool:
    """Notes what the build is to stand on, and whether it adds to the last one; returns that.

    Where it does, what the last one did not see is laid as views, and given to `spark` where that
    builds. Call it with those of schema `raw` laid, and after the landing was noted.
    """
    known = _last_ground(connection, spark)
    horizon = bookkeeping.knowledge_horizon(connection) if known else None
    adds = bool(
        known
        and horizon
        and not full_refresh
        and can_add(known, ground)
        # what was known can't be forgotten again
        and horizon_to_be(connection, manifest, as_of) >= horizon
    )
    if known and horizon and adds:
        _lay_arrivals(connection, folder, contract, known, horizon)
        if spark:
            spark.lay_arrivals(connection, contract)
    connection.execute(f"create or replace table {PLANS} (ground varchar, adds boolean)")
    connection.execute(f"insert into {PLANS} values (?, ?)", [ground.as_json(), adds])
    return adds


def begin(connection: duckdb.DuckDBPyConnection, *, is_whole: bool) -> bool:
    """Takes the basis away, since the build is about to write; returns whether it is to add.

    What builds only some models adds nothing, and leaves no basis.
    """
    adds = is_whole and has_added(connection) and bool(_rows(connection, f"from {GROUNDS}"))
    connection.execute(f"drop table if exists {GROUNDS}")
    connection.execute(f"drop table if exists {MARKS}")
    return adds


def has_added(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the build of the database was planned to add to the one before it."""
    rows = _rows(connection, f"select adds from {PLANS}")
    return bool(rows and rows[0][0])


def drop_strangers(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Drops the tables that the project does not know, such as those of models that are gone.

    Nobody would make them anew without the id of somebody who was erased since.
    """
    known = set(manifest.relations())
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and not temporary and schema_name <> ?",
        [bookkeeping.SCHEMA],
    ).fetchall()
    for table in tables:
        if table not in known:
            connection.execute(f"drop table {quoted_name(*table)}")


def keep_basis(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[KeptTable],
    spark: Spark | None = None,
) -> None:
    """Makes the build that has just ended, whole, what the next one can add to."""
    ground = _read_ground(connection, PLANS)
    if ground is None:
        return
    if spark:
        mark = uuid.uuid4().hex
        spark.keep_basis(tables, mark)
        connection.execute(f"create or replace table {MARKS} as select ? as mark", [mark])
    else:
        _keep_tables(connection, tables)
    # last: with it the basis is whole
    with one_transaction(connection):
        connection.execute(f"create or replace table {GROUNDS} (ground varchar)")
        connection.execute(f"insert into {GROUNDS} values (?)", [ground.as_json()])


def _keep_tables(connection: duckdb.DuckDBPyConnection, tables: Iterable[KeptTable]) -> None:
    with one_transaction(connection):
        connection.execute(f"create schema if not exists {quoted_name(BASIS_SOURCE)}")
        for table in tables:
            columns = ", ".join(map(quoted_name, table.columns))
            connection.execute(
                f"create or replace table {quoted_name(BASIS_SOURCE, table.name)} as"
                f" select distinct {columns} from {quoted_name(*table.kept_from)}"
            )


def _last_ground(connection: duckdb.DuckDBPyConnection, spark: Spark | None) -> Ground | None:
    """The ground of the last build if it was whole, and its tables are still those that stand."""
    if spark:
        marks = _rows(connection, f"from {MARKS}")
        if not marks or not spark.has_mark(str(marks[0][0])):
            return None
    return _read_ground(connection, GROUNDS)


def _read_ground(connection: duckdb.DuckDBPyConnection, relation: str) -> Ground | None:
    rows = _rows(connection, f"select ground from {relation}")
    return Ground.from_json(str(rows[0][0])) if rows else None


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    try:
        return connection.execute(query).fetchall()
    except duckdb.CatalogException:
        return []


def _lay_arrivals(
    connection: duckdb.DuckDBPyConnection,
    folder: RawFolder,
    contract: RawContract,
    known: Ground,
    horizon: datetime,
) -> None:
    new = tuple(file for file in folder.files if str(file.path) not in known.files)
    connection.execute(f"create schema if not exists {quoted_name(ARRIVALS_SOURCE)}")
    for table in contract.tables:
        if not table.has_arrivals:
            continue
        (findings,) = landing.inspect(
            replace(folder, files=new), RawContract(tables=(table,))
        ).tables
        recorded, happens = (
            f"{quoted_name(column)} >= timestamp '{horizon}'" if column else "false"
            for column in ("recorded_at", table.event_time)
        )
        # apart: of nearly all files their least and greatest values say that they hold nothing
        let_in = (recorded, f"{happens} and coalesce(not {recorded}, true)")
        rows = quoted_name(SOURCE_NAME, table.name)
        connection.execute(
            f"create or replace view {quoted_name(ARRIVALS_SOURCE, table.name)} as\n"
            + "\nunion all\n".join(
                (
                    landing.view_query(findings),
                    *(f"select * from {rows} where {condition}" for condition in let_in),
                )
            )
        )
