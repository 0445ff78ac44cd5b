"""Closed months' figures that a release changes, against the release that stands before it.

What belongs here: which figures are compared, the comparison, and what can have caused a change.
A cause is a count of raw rows and the condition that selects them: no value of a row is in it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.transactions import one_transaction
from orchestration.database.warehouse import is_disk_full
from orchestration.raw.contract import SOURCE_NAME
from orchestration.transform.manifest import HeadlineFigure, RawEvents
from orchestration.transform.parameters import AS_OF

RESTATEMENT_COLUMNS: Mapping[str, tuple[str, str]] = {
    "release_id": ("varchar", "Release that changed the figure."),
    "mart_name": ("varchar", "Mart that the figure stands in."),
    "figure": (
        "varchar",
        "Column of the mart, summed over the rows of the month; of rows of all and of parts over"
        " those of all.",
    ),
    "month_start": ("date", "First day of the month, which was over in the release before."),
    "previous_value": ("decimal(18,4)", "What it was; null where the month had no row."),
    "current_value": ("decimal(18,4)", "What it is; null where the month has no row any more."),
    "previous_release_id": ("varchar", "Release that stood before."),
    "previous_as_of": ("timestamp", "Knowledge horizon of that release, UTC."),
    "as_of": ("timestamp", "Knowledge horizon of this release, UTC."),
    "restated_at": ("timestamp", "When this release was made, UTC."),
}

BECAME_KNOWN = "rows became known"
NOT_KNOWN_YET = "rows are not known yet"
BEHIND_HORIZON = "rows came or went behind the horizon"
OTHER_PARAMETERS = "other parameters"
OTHER_VERSION = "other project version"
OTHER_FILES = "other raw files"
UNREADABLE = "raw files can't be read any more"

CAUSE_COLUMNS: Mapping[str, tuple[str, str]] = {
    "release_id": ("varchar", "Release that changed figures of the month."),
    "month_start": ("date", "Month of which a headline figure changed."),
    "cause": (
        "varchar",
        f"`{BECAME_KNOWN}`: rows that the release before did not know yet;"
        f" `{NOT_KNOWN_YET}`: the reverse, with an earlier horizon;"
        f" `{BEHIND_HORIZON}`: of the rows that the release before could know there are more or"
        f" fewer now; `{OTHER_PARAMETERS}`; `{OTHER_VERSION}`; `{OTHER_FILES}`: none of these, but"
        f" the raw files are not the same; `{UNREADABLE}`: they went or changed during the run.",
    ),
    "table_name": ("varchar", "Raw table of the rows; null where the cause is no row."),
    "row_count": (
        "bigint",
        "Rows of the month and of months before it, or of no time; behind the horizon, of any time:"
        " how many more, negative for fewer.",
    ),
    "month_row_count": ("bigint", "Those of them that happened in the month."),
    "first_recorded_at": ("timestamp", "When the first of them reached the raw store, UTC."),
    "last_recorded_at": ("timestamp", "When the last of them reached the raw store, UTC."),
    "detail": ("varchar", "Condition that selects the rows in the raw table; else what changed."),
}


@dataclass(frozen=True)
class Basis:
    """What a release was made from, save the rows; `parameters` are all vars."""

    as_of: datetime
    raw_fingerprint: str
    project_version: str
    parameters: Mapping[str, str | int | float | bool | None]


def insert_restatements(
    connection: duckdb.DuckDBPyConnection,
    figures: tuple[HeadlineFigure, ...],
    *,
    target: str,
    catalog: str,
    earlier: str,
    release_id: str,
    previous_release_id: str,
    as_of: datetime | None,
    previous_as_of: datetime | None,
    restated_at: datetime,
) -> None:
    """Adds to `target` each figure of a month closed in `earlier` that differs in `catalog`.

    Both catalogs are attached releases; a figure of a mart that the earlier one lacks is new, and
    nothing is said of it. The months closed in `earlier` are those of all of its figures, since one
    of them may have had no row yet.
    """
    figures = tuple(each for each in figures if _has_figure(connection, earlier, each))
    last_closed = _last_closed(connection, figures, earlier)
    for figure in figures:
        now, then = (_monthly_sums(each, figure) for each in (catalog, earlier))
        connection.execute(
            f"""
            with now as ({now}), earlier as ({then})
            insert into {target} by name
            select
                ? as release_id,
                {quoted_text(figure.table)} as mart_name,
                {quoted_text(figure.column)} as figure,
                coalesce(now.month_start, earlier.month_start) as month_start,
                earlier.value as previous_value,
                now.value as current_value,
                ? as previous_release_id,
                ? as previous_as_of,
                ? as as_of,
                ? as restated_at
            from now
            full join earlier on now.month_start = earlier.month_start
            where now.value is distinct from earlier.value
            and coalesce(now.month_start, earlier.month_start) <= ?
            order by month_start
            """,
            [release_id, previous_release_id, previous_as_of, as_of, restated_at, last_closed],
        )


def _last_closed(
    connection: duckdb.DuckDBPyConnection, figures: tuple[HeadlineFigure, ...], catalog: str
) -> date | None:
    months = [
        month
        for figure in figures
        for (month,) in connection.execute(
            f"select max(month_start) from ({_monthly_sums(catalog, figure)}) where is_complete"
        ).fetchall()
        if month
    ]
    return max(months, default=None)


def _monthly_sums(catalog: str, figure: HeadlineFigure) -> str:
    column = quoted_name(figure.column)
    rows = [f"{quoted_name(name)} = {quoted_text(value)}" for name, value in figure.rows.items()]
    return (
        f"select month_start, cast(sum({column}) as decimal(18, 4)) as value,"
        " bool_and(is_complete) as is_complete"
        f" from {quoted_name(catalog, figure.schema, figure.table)}"
        f" where {' and '.join(rows) or 'true'} group by month_start"
    )


def _has_figure(
    connection: duckdb.DuckDBPyConnection, catalog: str, figure: HeadlineFigure
) -> bool:
    return all(
        _has_column(connection, catalog, (figure.schema, figure.table), column)
        for column in (figure.column, *figure.rows)
    )


def _has_column(
    connection: duckdb.DuckDBPyConnection, catalog: str, table: tuple[str, str], column: str
) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_columns() where database_name = ? and schema_name = ?"
            " and table_name = ? and column_name = ?",
            [catalog, *table, column],
        ).fetchall()
    )


def insert_causes(
    connection: duckdb.DuckDBPyConnection,
    raw_events: Iterable[RawEvents],
    *,
    target: str,
    restatements: str,
    build: str,
    earlier: str,
    release_id: str,
    now: Basis,
    before: Basis,
) -> None:
    """Adds to `target` what can have changed the months that `restatements` names for the release.

    `build` is the attached database with the views of the raw tables, `earlier` the release that
    stood before. Reads the raw tables only where a month was restated. Rows of later months are
    left out unless they reach back or revise a row that was known: no figure looks ahead.
    """
    months = [
        month
        for (month,) in connection.execute(
            f"select distinct month_start from {restatements} where release_id = ? order by 1",
            [release_id],
        ).fetchall()
    ]
    if not months:
        return
    try:
        found = _rows_of(connection, raw_events, months, build, earlier, now, before)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        if is_disk_full(error):
            raise
        # the figures stand, and are told, whatever became of the files that they were built from
        found = [(month, UNREADABLE, *(None,) * 6) for month in months]
    found.extend(
        (month, cause, None, None, None, None, None, detail)
        for cause, detail in _other_causes(now, before, rows_differ=bool(found))
        for month in months
    )
    marks = ", ".join("?" for _ in CAUSE_COLUMNS)
    if found:
        with one_transaction(connection):
            connection.executemany(
                f"insert into {target} values ({marks})", [(release_id, *cause) for cause in found]
            )


def _rows_of(
    connection: duckdb.DuckDBPyConnection,
    raw_events: Iterable[RawEvents],
    months: list[date],
    build: str,
    earlier: str,
    now: Basis,
    before: Basis,
) -> list[tuple[object, ...]]:
    """The causes that are rows: those of the first three kinds."""
    zone = str(now.parameters.get("reporting_timezone") or "UTC")
    found: list[tuple[object, ...]] = []
    for events in raw_events:
        arrivals = _arrivals(connection, events, build=build, zone=zone, now=now, before=before)
        found.extend(arrivals.of_month(month) for month in months if arrivals.touches(month))
        if more := _more_behind_horizon(connection, events, build, earlier, zone, now, before):
            detail = f"not {_beyond(events, before.as_of, zone)}"
            found.extend(
                (month, BEHIND_HORIZON, events.table, more, None, None, None, detail)
                for month in months
            )
    return found


@dataclass(frozen=True)
class _Arrived:
    """Some of these rows: those of a month, or of none, that reach back to any before it or not."""

    month: date | None
    reaches_back: bool
    rows: int
    first: datetime | None
    last: datetime | None

    def touches(self, month: date) -> bool:
        return self.reaches_back or self.month is None or self.month <= month


@dataclass(frozen=True)
class _Arrivals:
    """Rows of a raw table between two horizons: how many and when they were recorded."""

    table: str
    cause: str
    condition: str
    parts: tuple[_Arrived, ...]

    def touches(self, month: date) -> bool:
        return any(part.touches(month) for part in self.parts)

    def of_month(self, month: date) -> tuple[object, ...]:
        touching = [part for part in self.parts if part.touches(month)]
        return (
            month,
            self.cause,
            self.table,
            sum(part.rows for part in touching),
            sum(part.rows for part in touching if part.month == month),
            min((part.first for part in touching if part.first), default=None),
            max((part.last for part in touching if part.last), default=None),
            self.condition,
        )


def _arrivals(
    connection: duckdb.DuckDBPyConnection,
    events: RawEvents,
    *,
    build: str,
    zone: str,
    now: Basis,
    before: Basis,
) -> _Arrivals:
    low, high = sorted((now.as_of, before.as_of))
    condition = f"{_beyond(events, low, zone)} and not {_beyond(events, high, zone)}"
    table = quoted_name(build, SOURCE_NAME, events.table)
    keys = ", ".join(map(quoted_name, events.key))
    # of a key that was known another version has come, wherever it says that it happened
    rows = connection.execute(
        f"""
        with arrived as (select * from {table} where {condition}),
        revised as (
            select distinct {keys}, true as is_revised from {table}
            semi join (select distinct {keys} from arrived) as arrived_keys using ({keys})
            where not {_beyond(events, low, zone)}
        )
        select
            cast(date_trunc('month', {_local_time(events, zone)}) as date) as month_start,
            {events.reaches_back} or coalesce(is_revised, false) as reaches_back,
            count(*), min(recorded_at), max(recorded_at)
        from arrived left join revised using ({keys}) group by all
        """
    ).fetchall()
    cause = BECAME_KNOWN if now.as_of >= before.as_of else NOT_KNOWN_YET
    return _Arrivals(events.table, cause, condition, tuple(_Arrived(*row) for row in rows))


def _more_behind_horizon(
    connection: duckdb.DuckDBPyConnection,
    events: RawEvents,
    build: str,
    earlier: str,
    zone: str,
    now: Basis,
    before: Basis,
) -> int:
    """How many more rows the raw table has now than were known to the release before."""
    if now.as_of < before.as_of or not _has_column(
        connection, earlier, ("quality", "row_reconciliation"), "beyond_as_of_rows"
    ):
        return 0
    known = connection.execute(
        "select raw_rows - beyond_as_of_rows"
        f" from {quoted_name(earlier, 'quality', 'row_reconciliation')} where table_name = ?",
        [events.table],
    ).fetchall()
    ((rows,),) = connection.execute(
        f"select count(*) from {quoted_name(build, SOURCE_NAME, events.table)}"
        f" where not {_beyond(events, before.as_of, zone)}"
    ).fetchall()
    return int(rows - known[0][0]) if known else 0


def _other_causes(now: Basis, before: Basis, *, rows_differ: bool) -> list[tuple[str, str | None]]:
    causes: list[tuple[str, str | None]] = []
    # the horizon is no other parameter: what it changes is told by rows
    changed = [
        name
        for name in sorted(before.parameters.keys() & now.parameters.keys() - {AS_OF})
        if before.parameters[name] != now.parameters[name]
    ]
    if changed:
        told = [{name: each.parameters[name] for name in changed} for each in (before, now)]
        causes.append((OTHER_PARAMETERS, " became ".join(map(json.dumps, told))))
    if now.project_version != before.project_version:
        causes.append((OTHER_VERSION, f"{before.project_version} became {now.project_version}"))
    if not causes and not rows_differ and now.raw_fingerprint != before.raw_fingerprint:
        causes.append((OTHER_FILES, None))
    return causes


def _beyond(events: RawEvents, horizon: datetime, zone: str) -> str:
    """The condition by which a row was not known at a horizon; a row without times was."""
    instant = f"timestamp {quoted_text(str(horizon))}"
    conditions = [f"recorded_at >= {instant}"]
    if events.event_time:
        time = quoted_name(events.event_time)
        if events.is_date:
            time = f"cast({time} as timestamp)"
            if zone != "UTC":
                time = f"timezone('UTC', timezone({quoted_text(zone)}, {time}))"
        conditions.append(f"{time} >= {instant}")
    return f"coalesce({' or '.join(conditions)}, false)"


def _local_time(events: RawEvents, zone: str) -> str:
    if not events.event_time:
        return "cast(null as timestamp)"
    time = quoted_name(events.event_time)
    if events.start_time:
        time = f"least({quoted_name(events.start_time)}, {time})"
    if events.is_date or zone == "UTC":
        return time
    return f"timezone({quoted_text(zone)}, timezone('UTC', {time}))"
