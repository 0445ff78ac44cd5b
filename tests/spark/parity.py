"""What two engines made differently of the same raw data, table by table and row by row.

Both sides are catalogs of one DuckDB connection. Every column but a float must be the same to the
last digit, a float to a part in a thousand million. The random ids of erased subscribers are
matched by all that is told of them; a match that is wrong shows as a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from orchestration.database.sql_text import quoted_name

TOLERANCE = 1e-9
SHOWN = 3

# the left side's id of an erased subscriber by the right side's
LEFT_IDS = "(select map(list(right_id), list(left_id)) from erased_ids where {})"


@dataclass(frozen=True)
class Sides:
    """Two catalogs of a connection in which the same tables are, by schema and name."""

    connection: duckdb.DuckDBPyConnection
    left: str
    right: str

    def columns(self, catalog: str, table: tuple[str, str]) -> dict[str, str]:
        """The columns of a table with their types, a zone aside: both engines keep UTC."""
        described = self.connection.execute(
            f"describe {quoted_name(catalog, *table)}",
        ).fetchall()
        return {
            name: "TIMESTAMP" if kind == "TIMESTAMP WITH TIME ZONE" else kind
            for name, kind, *_ in described
        }

    def differences(self, tables: Iterable[tuple[str, str]], known_ids: str) -> list[str]:
        """One text for each table in which the sides differ; none where they are equal.

        `known_ids` is a query of all ids of subscribers in the raw data: any other is a random one.
        """
        tables = list(tables)
        told = []
        shared = []
        for table in tables:
            left, right = self.columns(self.left, table), self.columns(self.right, table)
            if left == right or sorted(left.items()) == sorted(right.items()):
                shared.append((table, left))
            else:
                odd = sorted(set(left.items()) ^ set(right.items()))
                told.append(f"{'.'.join(table)}: columns differ: {odd}")
        self._match_erased_ids(shared, known_ids)
        for table, columns in shared:
            told += self._differences_of(table, columns)
        return told

    def _match_erased_ids(
        self, tables: Sequence[tuple[tuple[str, str], dict[str, str]]], known_ids: str
    ) -> None:
        """Makes the table of both sides' random ids of the same person."""
        self.connection.execute(f"create or replace temp table known_ids as {known_ids}")
        told: dict[str, dict[str, list[str]]] = {
            side: defaultdict(list) for side in (self.left, self.right)
        }
        for side, facts in told.items():
            for table, columns in tables:
                if "subscriber_id" not in columns:
                    continue
                others = [
                    f"cast({quoted_name(name)} as varchar)"
                    for name, kind in sorted(columns.items())
                    if kind != "DOUBLE" and not name.endswith("subscriber_id")
                ]
                rows = self.connection.execute(
                    f"select subscriber_id, concat_ws('|', {', '.join(others)}) as told"
                    f" from {quoted_name(side, *table)}"
                    " where subscriber_id not in (from known_ids) order by all"
                ).fetchall()
                for subscriber_id, text in rows:
                    facts[subscriber_id].append(f"{'.'.join(table)} {text}")
        lefts, rights = (
            sorted((facts, subscriber_id) for subscriber_id, facts in told[side].items())
            for side in (self.left, self.right)
        )
        self.connection.execute(
            "create or replace temp table erased_ids (left_id varchar, right_id varchar)"
        )
        pairs = [(left, right) for (_, left), (_, right) in zip(lefts, rights, strict=False)]
        if pairs:
            self.connection.executemany("insert into erased_ids values (?, ?)", pairs)

    def _differences_of(self, table: tuple[str, str], columns: dict[str, str]) -> list[str]:
        exact = [name for name, kind in columns.items() if kind != "DOUBLE"]
        floats = [name for name, kind in columns.items() if kind == "DOUBLE"]
        for side in (self.left, self.right):
            selected = ", ".join(
                f"{_compared(name, kind)} as {quoted_name(name)}" for name, kind in columns.items()
            )
            self.connection.execute(
                f"set variable left_ids = {LEFT_IDS.format(side == self.right)}"
            )
            self.connection.execute(
                f"create or replace temp table {_of(side)} as"
                f" select {selected} from {quoted_name(side, *table)}"
            )
        name = ".".join(table)
        return self._unequal_rows(name, exact) or self._unequal_floats(name, exact, floats)

    def _unequal_rows(self, table: str, exact: Sequence[str]) -> list[str]:
        names = ", ".join(quoted_name(name) for name in exact)
        told = []
        for one, other in ((self.left, self.right), (self.right, self.left)):
            rows = self.connection.execute(
                f"select {names} from {_of(one)} except all select {names} from {_of(other)}"
                " order by all"
            ).fetchall()
            if rows:
                shown = "".join(f"\n    {row}" for row in rows[:SHOWN])
                told.append(f"{table}: {len(rows)} rows only in {one}:{shown}")
        return told

    def _unequal_floats(self, table: str, exact: Sequence[str], floats: Sequence[str]) -> list[str]:
        if not floats:
            return []
        # the rest of each row is the same, so in its order the rows lie side by side
        order = ", ".join(quoted_name(name) for name in (*exact, *floats))
        unequal = " or ".join(
            f"(one.{name} is null) <> (other.{name} is null)"
            f" or abs(one.{name} - other.{name}) > {TOLERANCE} * greatest(1, abs(one.{name}))"
            for name in map(quoted_name, floats)
        )
        rows = self.connection.execute(
            f"select one, other from (from {_of(self.left)} order by {order}) as one"
            f" positional join (from {_of(self.right)} order by {order}) as other where {unequal}"
        ).fetchall()
        shown = "".join(
            "\n    "
            + ", ".join(f"{name} {one[name]} and {other[name]}" for name in floats)
            + f" in {[one[name] for name in exact[:SHOWN]]}"
            for one, other in rows[:SHOWN]
        )
        return [f"{table}: {len(rows)} rows with other floats:{shown}"] if rows else []


def _compared(name: str, kind: str) -> str:
    """A column as it is compared: random ids by the left side's, also within a key of parts."""
    column = quoted_name(name)
    if kind == "TIMESTAMP":
        return f"cast({column} as timestamp)"
    if kind != "VARCHAR":
        return column
    return (
        f"array_to_string(list_transform(string_split({column}, ':'),"
        " lambda part: coalesce(getvariable('left_ids')[part], part)), ':')"
    )


def _of(side: str) -> str:
    return quoted_name(f"rows_of_{side}")
