"""Whether a run may add to the tables of the last build, and what has come since that.

A build that was whole leaves its *basis*: horizon, parameters, project, raw files, and of some
models the rows that tell what it knew (source `basis`). The next run adds to its tables where all
of that still holds, only files have been added and the horizon has at most moved on: it lays what
the last build did not see as views (source `arrivals`), and the models do the rest. The basis goes
before a build begins to write and comes when it was whole, so that after one which was killed
everything is built anew.

What belongs here is what an increment may stand on; which rows it touches, the models say.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from orchestration import bookkeeping, landing
from orchestration.manifest import BASIS_SOURCE, KeptTable
from orchestration.parameters import AS_OF, Parameters
from orchestration.raw_contract import SOURCE_NAME, RawContract
from orchestration.raw_folder import RawFolder
from orchestration.sql_text import quoted_name

ARRIVALS_SCHEMA = "arrivals"

PLANS = quoted_name(bookkeeping.SCHEMA, "build_plans")
GROUNDS = quoted_name(bookkeeping.SCHEMA, "grounds")


@dataclass(frozen=True)
class Ground:
    """What a build stands on: two of the same ground differ by files and horizon alone.

    `files` are those of the tables that an increment does not read whole: path → size and time of
    the last change. `as_of` is the horizon that was asked for; None for the default.
    """

    project: str
    parameters: Mapping[str, str | int | float | bool | None]
    as_of: str | None
    files: Mapping[str, tuple[int, int]]

    def as_json(self) -> str:
        """The ground as text, from which `from_json` makes it again."""
        return json.dumps([self.project, dict(self.parameters), self.as_of, dict(self.files)])

    @classmethod
    def from_json(cls, text: str) -> "Ground":
        """The ground that `as_json` wrote."""
        project, parameters, as_of, files = json.loads(text)
        return cls(
            project, parameters, as_of, {name: tuple(known) for name, known in files.items()}
        )


def ground_of(
    folder: RawFolder, contract: RawContract, parameters: Parameters, *, project: str
) -> Ground:
    """What a build of these files would stand on; `project` tells its SQL from any other."""
    given = dict(parameters.overrides)
    as_of = given.pop(AS_OF, None)
    files = {
        str(file.path): (status.st_size, status.st_mtime_ns)
        for table in contract.tables
        if table.has_arrivals
        for file in folder.files_of(table.name)
        for status in [file.path.stat()]
    }
    return Ground(project, given, str(as_of) if as_of else None, files)


def can_add(basis: Ground, horizon: datetime, ground: Ground) -> bool:
    """Whether the tables of a build on `basis` with what has come since are those of a full one.

    `horizon` is that build's, UTC without a zone. Not where a file has gone or is another, nor
    where the horizon moves back: that after the newest record never does while files only come.
    """
    if (basis.project, basis.parameters) != (ground.project, ground.parameters):
        return False
    if any(ground.files.get(name) != known for name, known in basis.files.items()):
        return False
    if ground.as_of is None:
        return basis.as_of is None
    asked = datetime.fromisoformat(ground.as_of)
    if asked.tzinfo is not None:
        asked = asked.astimezone(UTC).replace(tzinfo=None)
    return asked >= horizon


def plan(
    connection: duckdb.DuckDBPyConnection,
    folder: RawFolder,
    contract: RawContract,
    ground: Ground,
    *,
    full_refresh: bool,
) -> bool:
    """Notes what the build is to stand on, and whether it adds to the last one; returns that.

    Where it does, what the last one did not see is laid as views. Call it with those of schema
    `raw` laid, and after the landing was noted.
    """
    known = _read_ground(connection, GROUNDS)
    horizon = bookkeeping.knowledge_horizon(connection)
    adds = bool(known and horizon and not full_refresh and can_add(known, horizon, ground))
    if known and horizon and adds:
        _lay_arrivals(connection, folder, contract, known, horizon)
    connection.execute(f"create or replace table {PLANS} (ground varchar, adds boolean)")
    connection.execute(f"insert into {PLANS} values (?, ?)", [ground.as_json(), adds])
    return adds


def begin(connection: duckdb.DuckDBPyConnection, *, is_whole: bool) -> bool:
    """Takes the basis away, since the build is about to write; returns whether it is to add.

    What builds only some models adds nothing, and leaves no basis.
    """
    rows = _rows(connection, f"select adds from {PLANS}")
    adds = is_whole and bool(rows and rows[0][0]) and bool(_rows(connection, f"from {GROUNDS}"))
    connection.execute(f"drop table if exists {GROUNDS}")
    return adds


def keep_basis(connection: duckdb.DuckDBPyConnection, tables: Iterable[KeptTable]) -> None:
    """Makes the build that has just ended, whole, what the next one can add to."""
    ground = _read_ground(connection, PLANS)
    if ground is None:
        return
    connection.begin()
    connection.execute(f"create schema if not exists {quoted_name(BASIS_SOURCE)}")
    for table in tables:
        columns = ", ".join(map(quoted_name, table.columns))
        connection.execute(
            f"create or replace table {quoted_name(BASIS_SOURCE, table.name)} as"
            f" select distinct {columns} from {quoted_name(*table.kept_from)}"
        )
    connection.execute(f"create or replace table {GROUNDS} (ground varchar)")
    connection.execute(f"insert into {GROUNDS} values (?)", [ground.as_json()])
    connection.commit()


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
    connection.execute(f"create schema if not exists {quoted_name(ARRIVALS_SCHEMA)}")
    for table in contract.tables:
        if not table.has_arrivals:
            continue
        (findings,) = landing.inspect(
            replace(folder, files=new), RawContract(tables=(table,))
        ).tables
        let_in = " or ".join(
            f"{quoted_name(column)} >= timestamp '{horizon}'"
            for column in ("recorded_at", table.event_time)
            if column
        )
        connection.execute(
            f"create or replace view {quoted_name(ARRIVALS_SCHEMA, table.name)} as\n"
            f"{landing.view_query(findings)}\nunion all\n"
            f"select * from {quoted_name(SOURCE_NAME, table.name)} where {let_in}"
        )
