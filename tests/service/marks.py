"""Marks in every text column of a raw folder, and the search for them in whatever was written.

A mark looks like an address of mail and says in which column it was put. It comes in rows that are
accepted, in copies of them, in versions that were superseded and in rows that are quarantined, so
that whatever a row goes through, its texts go through as well.
"""

import base64
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.raw.contract import RawContract, RawTable

MARK = re.compile(rb"zq([0-9]{3})qz")

# how the dashboard's page holds its figures and its library
PACKED = re.compile(rb'(<script type="application/gzip;base64"[^>]*>)([^<]*)')

# what a mark stands in: nothing, a formula, markup, a template, SQL, what is no text
AROUND = (
    "{}",
    "=HYPERLINK({})",
    "<b onclick={}>",
    "{{{{ {} }}}}",
    "'; drop table {} --",
    "\0{}\x1b[2J",
)

# these tables' marked rows come as CSV, in which a NUL can't stand
AS_CSV = frozenset({"subscribers", "plans"})

Column = tuple[str, str]


@dataclass(frozen=True)
class Marks:
    """Which mark was put into which text column of which raw table."""

    columns: tuple[Column, ...]

    def text(self, column: Column) -> str:
        """The mark of a column, as an address of mail."""
        return f"zoe.zq{self.columns.index(column):03}qz@leak.example"

    def within(self, content: bytes) -> set[Column]:
        """The columns whose marks stand in these bytes, in letters of either case."""
        return {self.columns[int(number)] for number in MARK.findall(content.lower())}

    def in_file(self, path: Path) -> set[Column]:
        """The columns whose marks stand in a file: in its bytes, and in the rows that it packs."""
        found = self.within(PACKED.sub(_unpacked, path.read_bytes()))
        return found.union(*(self.within(row.encode()) for _, row in rows_of(path)))


def _unpacked(found: re.Match[bytes]) -> bytes:
    return found[1] + gzip.decompress(base64.b64decode(found[2]))


def put_marks(raw: Path, contract: RawContract) -> Marks:
    """Adds a file of marked rows to each table of a raw folder; returns the marks."""
    marks = Marks(
        tuple(
            (table.name, column.name)
            for table in contract.tables
            for column in table.columns
            if column.data_type == "string"
        )
    )
    with duckdb.connect() as connection:
        for table in contract.tables:
            source = f"read_parquet({quoted_text(str(raw / table.name / '*.parquet'))})"
            connection.execute(
                f"create or replace temp table one as from {source} order by all limit 1"
            )
            connection.execute("create or replace temp table marked as from one limit 0")
            for number, row in enumerate(_marked_rows(table, marks)):
                replaced = _other_key(table, number // 2) | row
                selected = ", ".join(
                    f"{sql} as {quoted_name(name)}" for name, sql in replaced.items()
                )
                connection.execute(f"insert into marked select * replace ({selected}) from one")
            suffix = "csv" if table.name in AS_CSV else "parquet"
            target = quoted_text(str(raw / table.name / f"marked.{suffix}"))
            connection.execute(f"copy marked to {target} (format {suffix})")
    return marks


def _marked_rows(table: RawTable, marks: Marks) -> Iterator[dict[str, str]]:
    """What is replaced in a row to make each kind of marked row, by twos of one key."""
    a_minute_later = {"recorded_at": "recorded_at + interval 1 minute"}
    for column in (name for each, name in marks.columns if each == table.name):
        mark = marks.text((table.name, column))
        # accepted, if the column takes any text at all, and sent again
        for around in AROUND:
            if not (table.name in AS_CSV and "\0" in around):
                marked = {column: _text(around.format(mark))}
                yield marked
                yield marked | a_minute_later
        # superseded by a version that is not marked
        yield {column: _text(mark)}
        yield a_minute_later
        # quarantined, in two versions
        for broken in _breaks(table, column):
            yield {column: _text(mark)} | broken
            yield {column: _text(f"{mark} too")} | broken


def _breaks(table: RawTable, marked: str) -> Iterator[dict[str, str]]:
    yield {"recorded_at": "null"}
    if table.event_time and table.event_time not in table.key:
        yield {"recorded_at": f"{quoted_name(table.event_time)} - interval 1 hour"}
    for column in table.columns:
        if not column.is_nullable and column.name not in {marked, *table.key, "recorded_at"}:
            yield {column.name: "null"}


def _other_key(table: RawTable, number: int) -> dict[str, str]:
    """The key of the row of this number: an id, or a day before that of the row it is made of."""
    return {
        name: f"{name} - {number + 1}" if name.endswith("_date") else _text(f"marked-{number}")
        for name in table.key
        if name.endswith(("_date", "_id"))
    }


def _text(text: str) -> str:
    """A text as SQL, in which NUL can't stand in quotes."""
    return " || chr(0) || ".join(quoted_text(part) for part in text.split("\0"))


def rows_of(path: Path) -> Iterator[tuple[str, str]]:
    """Each row of a database or a Parquet file as a text, with its schema; nothing of others."""
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            yield from _rows(connection, "", f"read_parquet({quoted_text(str(path))})")
    elif path.suffix == ".duckdb":
        with duckdb.connect() as connection:
            connection.execute(f"attach {quoted_text(str(path))} as held (read_only)")
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'held'"
            ).fetchall()
            for schema, table in tables:
                yield from _rows(connection, schema, quoted_name("held", schema, table))


def _rows(
    connection: duckdb.DuckDBPyConnection, schema: str, relation: str
) -> Iterator[tuple[str, str]]:
    rows = connection.execute(f"select row_of::varchar from {relation} as row_of").fetchall()
    yield from ((schema, row) for (row,) in rows)
