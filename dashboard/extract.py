"""What the page shows, read from a release: small tables of aggregates, each from one SQL file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from dashboard.cube import Cube, folded_cube, lay_cells

QUERIES = Path(__file__).parent / "sql"

# five years, and the month before them to compare the first with
SHOWN_MONTHS = 61
# for what is looked at by single months
RECENT_MONTHS = 13

# of month, tier, country and channel: some 20 to 90 bytes each in the page
MAX_CELLS = 16_000

# from which the page learns which months there are, and which of them are over
MONTHLY_MARTS = (
    "marts.mrr_bridge_monthly",
    "marts.churn_monthly",
    "marts.revenue_monthly",
    "marts.engagement_monthly",
    "marts.lifecycle_funnel",
)
RELEASES = "quality.releases"

Cell = str | int | float | bool | Decimal | date | datetime | None


@dataclass(frozen=True)
class Table:
    """Rows of one query: its columns' names, and the rows in their order."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class Month:
    """A month that the page shows."""

    month_start: date
    is_complete: bool


@dataclass(frozen=True)
class Origin:
    """The release that the page was made from; None for what the release does not say."""

    release_id: str | None
    released_at: datetime | None
    as_of: datetime | None
    project_version: str | None
    parameters: str | None


@dataclass(frozen=True)
class Extract:
    """All that the page shows.

    `tables` holds the queries' rows by name, `absent` why a table has none, `earlier_months` how
    many months of the release lie before those that are shown.
    """

    origin: Origin
    months: tuple[Month, ...]
    earlier_months: int
    cube: Cube | None
    tables: Mapping[str, Table]
    absent: Mapping[str, str]

    def is_empty(self, name: str) -> bool:
        """Whether a table is there and has no rows."""
        return name in self.tables and not self.tables[name].rows


Room = Callable[[Mapping[str, Table]], Callable[[Cube], float]]


def read_release(release_file: Path, *, room: Room = lambda _: lambda _: 0.0) -> Extract:
    """What the page shows of the release in a file; what is missing there is named in `absent`.

    `room` is given the tables and says how much of what they leave a cube takes: a cube that takes
    more than 1 is folded until it fits.
    """
    with duckdb.connect(str(release_file), read_only=True) as connection:
        return _read(connection, room)


def _read(connection: duckdb.DuckDBPyConnection, room: Room) -> Extract:
    present = _present(connection)
    months = _months(connection, present)
    shown = months[-SHOWN_MONTHS:]
    tables, absent = _read_tables(connection, present, shown)
    starts = [month.month_start for month in shown]
    marts, why_not = lay_cells(connection, present, starts)
    cube = None
    if marts and months:
        cube = folded_cube(connection, marts, starts, max_cells=MAX_CELLS)
        share_of = room(tables)
        while (share := share_of(cube)) > 1 and cube.cells > len(shown):
            # a little less than what would fit if all cells took the same
            fewer = max(1, int(0.92 * cube.cells / share))
            cube = folded_cube(connection, marts, starts, max_cells=fewer)
    return Extract(
        origin=_origin(connection, present),
        months=shown,
        earlier_months=len(months) - len(shown),
        cube=cube,
        tables=tables,
        absent={**absent, **why_not},
    )


def _read_tables(
    connection: duckdb.DuckDBPyConnection, present: frozenset[str], shown: Sequence[Month]
) -> tuple[Mapping[str, Table], Mapping[str, str]]:
    first = shown[0].month_start if shown else date.min
    recent = shown[-RECENT_MONTHS:][0].month_start if shown else date.min
    connection.execute("set variable first_month = cast(? as date)", [first])
    connection.execute("set variable recent_month = cast(? as date)", [recent])
    last = shown[-1].month_start if shown else date.max
    connection.execute("set variable last_month = cast(? as date)", [last])
    tables: dict[str, Table] = {}
    absent: dict[str, str] = {}
    for path in sorted(QUERIES.glob("*.sql")):
        query = path.read_text(encoding="utf-8")
        if missing := _missing(query, present):
            absent[path.stem] = missing
            continue
        try:
            cursor = connection.execute(query)
        except duckdb.BinderException as error:
            # a mart of another version, say
            absent[path.stem] = f"The mart does not have what is shown here: {_first_line(error)}"
            continue
        table = Table(tuple(name for name, *_ in cursor.description), cursor.fetchall())
        tables[path.stem] = table
        if not table.rows:
            absent[path.stem] = f"{_named_in(query)} has no rows to show."
    return tables, absent


def _present(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    rows = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    return frozenset(f"{schema}.{table}" for schema, table in rows)


def _months(connection: duckdb.DuckDBPyConnection, present: frozenset[str]) -> tuple[Month, ...]:
    marts = [mart for mart in MONTHLY_MARTS if mart in present]
    if not marts:
        return ()
    every = " union all ".join(f"select month_start, is_complete from {mart}" for mart in marts)
    rows = connection.execute(
        f"select month_start, bool_and(is_complete) from ({every}) group by all order by 1"
    ).fetchall()
    return tuple(Month(month_start, bool(is_complete)) for month_start, is_complete in rows)


def _tables_of(query: str) -> list[str]:
    return sorted(set(re.findall(r"\b(?:marts|quality)\.\w+", query)))


def _named_in(query: str) -> str:
    return " and ".join(_tables_of(query))


def _missing(query: str, present: frozenset[str]) -> str | None:
    missing = [table for table in _tables_of(query) if table not in present]
    return f"{' and '.join(missing)} is not in this release." if missing else None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _origin(connection: duckdb.DuckDBPyConnection, present: frozenset[str]) -> Origin:
    row = None
    if RELEASES in present:
        row = connection.execute(
            "select release_id, released_at, as_of, project_version, parameters"
            # its own row was written last, whatever the clock said
            f" from {RELEASES} order by rowid desc limit 1"
        ).fetchone()
    return Origin(*(row or (None,) * 5))
