"""The services that are measured: how large, and in which batches their rows arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import duckdb

from orchestration.database.sql_text import exact_path, quoted_text
from orchestration.raw.contract import RawTable

MONTHS = 36
SEED = 7
PLAYS_PER_MONTH = 170
# rows that a partition gathers from all threads before it writes them: smaller ones make row groups
# of a few thousand rows, which are slower to read than what any writer leaves
FLUSHED_ROWS = 4_000_000
SPLIT_MEMORY = "4GB"

# the day that arrives last is the one before the simulation's own last day: there the rows of the
# last hours are all recorded in one instant, which no service does
LAST_DAYS_LEFT_OUT = 1
CORRECTED_DAYS_AGO = 200


class Scale(StrEnum):
    """So many plays; `TINY` is for trying the harness out."""

    TINY = "tiny"
    ONE = "1M"
    TEN = "10M"
    TWENTY = "20M"
    HUNDRED = "100M"


# sign-ups in 36 months, of whom about 1,200 plays each are drawn at 170 a month of access
SUBSCRIBERS = {
    Scale.TINY: 40,
    Scale.ONE: 835,
    Scale.TEN: 8_350,
    Scale.TWENTY: 16_700,
    Scale.HUNDRED: 83_500,
}


@dataclass(frozen=True)
class Correction:
    """A row that arrives again, about 200 days after it happened: one column of it is another.

    `event` is the column that dates the row; `chosen` says which rows are worth a correction, and
    `corrected` is the new value, both in SQL.
    """

    table: str
    event: str
    chosen: str
    column: str
    corrected: str


CORRECTED_PLAY = Correction(
    table="playback_sessions",
    event="started_at",
    chosen="watched_seconds > 60",
    column="watched_seconds",
    corrected="watched_seconds - 30",
)
CORRECTED_CHANGE = Correction(
    table="subscription_changes",
    event="changed_at",
    chosen="status = 'active' and amount_minor > 100",
    column="amount_minor",
    corrected="amount_minor - 100",
)
CORRECTED_LINE = Correction(
    table="invoice_lines",
    event="period_start_at",
    chosen="kind = 'subscription' and amount_minor > 100",
    column="amount_minor",
    corrected="amount_minor - 100",
)


@dataclass(frozen=True)
class LastDay:
    """The day whose rows arrive after all others, `[begins_at, ends_at)` in UTC."""

    begins_at: datetime
    ends_at: datetime

    @property
    def corrected_at(self) -> datetime:
        """When corrections are recorded: in the last second, so that this day stays the last."""
        return self.ends_at - timedelta(seconds=1)


def last_day(simulated_until: datetime) -> LastDay:
    """Return the last day that is delivered of a simulation that ends at this instant."""
    ends_at = simulated_until - timedelta(days=LAST_DAYS_LEFT_OUT)
    return LastDay(ends_at - timedelta(days=1), ends_at)


def lay_history(simulated: Path, raw: Path, tables: tuple[RawTable, ...], day: LastDay) -> None:
    """Write what was recorded before the day into `raw`, by month of arrival and in that order.

    A row comes with the month in which it was recorded, however long before it happened: a real raw
    folder holds its history in the order of arrival, and the simulation writes by subscriber.
    """
    with _connect() as connection:
        for table in tables:
            if not any((simulated / table.name).glob("*.parquet")):
                continue
            target = raw / table.name
            target.mkdir(parents=True)
            connection.execute(
                "copy (select *, coalesce(strftime(recorded_at, '%Y-%m'), 'unknown')"
                f" as arrival_month from {_rows(simulated, table)}"
                f" where recorded_at < {_instant(day.begins_at)} or recorded_at is null)"
                f" to {_text(target)} (format parquet, partition_by (arrival_month))"
            )
            for number, written in enumerate(sorted(target.rglob("*.parquet"))):
                month = written.parent.name.partition("=")[2]
                in_order = f"order by recorded_at, {', '.join(table.key)}"
                connection.execute(
                    f"copy (from read_parquet({_text(written)}, hive_partitioning = false)"
                    f" {in_order}) to {_text(target / f'{month}-{number:04}.parquet')}"
                    " (format parquet)"
                )
                written.unlink()
            for folder in list(target.iterdir()):
                if folder.is_dir():
                    folder.rmdir()
            if not any(target.iterdir()):
                # a required table must have a file, if only one without rows
                connection.execute(
                    f"copy (from {_rows(simulated, table)} limit 0)"
                    f" to {_text(target / 'none.parquet')} (format parquet)"
                )


def lay_day(simulated: Path, raw: Path, tables: tuple[RawTable, ...], day: LastDay) -> int:
    """Add to `raw` one file a table of what was recorded on the day, and return its rows.

    They may have happened long before; a table of which nothing was recorded gets no file.
    """
    rows = 0
    with _connect() as connection:
        for table in tables:
            if not any((simulated / table.name).glob("*.parquet")):
                continue
            query = (
                f"from {_rows(simulated, table)} where recorded_at >= {_instant(day.begins_at)}"
                f" and recorded_at < {_instant(day.ends_at)}"
            )
            found = connection.execute(f"select count(*) {query}").fetchall()[0][0]
            if found:
                (raw / table.name).mkdir(parents=True, exist_ok=True)
                file = raw / table.name / f"{day.begins_at:%Y-%m-%d}.parquet"
                in_order = f"order by recorded_at, {', '.join(table.key)}"
                connection.execute(
                    f"copy (select * {query} {in_order}) to {_text(file)} (format parquet)"
                )
            rows += found
    return rows


def lay_correction(raw: Path, table: RawTable, correction: Correction, day: LastDay) -> None:
    """Add to `raw` a file with one row: that of 200 days before, corrected.

    Raises ValueError where no row can be corrected.
    """
    happened = day.ends_at - timedelta(days=CORRECTED_DAYS_AGO)
    distance = f"abs(epoch({correction.event}) - epoch({_instant(happened)}))"
    file = raw / table.name / "corrected.parquet"
    with _connect() as connection:
        connection.execute(
            "create table corrected as select * replace ("
            f"{correction.corrected} as {correction.column},"
            f" {_instant(day.corrected_at)} as recorded_at)"
            f" from {_rows(raw, table)}"
            f" where {correction.chosen} and {correction.event} is not null"
            f" order by {distance}, {', '.join(table.key)} limit 1"
        )
        if not connection.execute("select count(*) from corrected").fetchall()[0][0]:
            raise ValueError(f"no row of {table.name} can be corrected: simulate a larger service")
        connection.execute(f"copy corrected to {_text(file)} (format parquet)")


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:", config={"memory_limit": SPLIT_MEMORY, "autoinstall_known_extensions": False}
    )
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"set partitioned_write_flush_threshold = {FLUSHED_ROWS}")
    return connection


def _rows(folder: Path, table: RawTable) -> str:
    files = quoted_text(f"{exact_path(folder / table.name)}/*.parquet")
    return f"read_parquet({files}, hive_partitioning = false)"


def _instant(instant: datetime) -> str:
    return f"timestamp '{instant:%Y-%m-%d %H:%M:%S.%f}'"


def _text(value: Path) -> str:
    return quoted_text(str(value))
