from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.spark.parity import Sides

TABLE = ("marts", "people")
COLUMNS = (
    "subscriber_id varchar, event_id varchar, amount decimal(18, 4), seen_at timestamp, rate double"
)
KNOWN = "select 's1' as subscriber_id"

ROWS = {
    "ours": [
        ("s1", "churned:s1:1", "1.0000", "2026-01-01 00:00:00", 0.5),
        ("random-1", "churned:random-1:2", "2.0000", "2026-01-02 00:00:00", 0.25),
        ("random-2", "churned:random-2:3", "3.0000", None, None),
    ],
    "theirs": [
        ("other-2", "churned:other-2:3", "3.0000", None, None),
        ("s1", "churned:s1:1", "1.0000", "2026-01-01 00:00:00", 0.5 + 1e-12),
        ("other-1", "churned:other-1:2", "2.0000", "2026-01-02 00:00:00", 0.25),
    ],
}


@pytest.fixture
def sides() -> Iterator[Sides]:
    with duckdb.connect(":memory:") as connection:
        for side, rows in ROWS.items():
            connection.execute(f"attach ':memory:' as {side}")
            connection.execute(f"create schema {side}.marts")
            connection.execute(f"create table {side}.marts.people ({COLUMNS})")
            connection.executemany(f"insert into {side}.marts.people values (?, ?, ?, ?, ?)", rows)
        yield Sides(connection, "ours", "theirs")


def test_rows_in_another_order_and_with_other_random_ids_are_the_same(sides: Sides) -> None:
    assert sides.differences([TABLE], KNOWN) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update theirs.marts.people set amount = 1.0001 where amount = 1", "1 rows only in ours"),
        (
            "update theirs.marts.people set subscriber_id = 's2' where amount = 1",
            "rows only in ours",
        ),
        (
            "update theirs.marts.people set seen_at = timestamp '2026-01-02 00:00:00.000001'"
            " where seen_at is not null and amount = 2",
            "1 rows only in ours",
        ),
        (
            "update theirs.marts.people set event_id = 'churned:other-2:2' where amount = 2",
            "rows only in ours",
        ),
        ("delete from theirs.marts.people where amount = 1", "1 rows only in ours"),
        (
            "insert into theirs.marts.people select * from theirs.marts.people where amount = 1",
            "1 rows only in theirs",
        ),
        (
            "update theirs.marts.people set rate = 0.5 + 1e-8 where amount = 1",
            "1 rows with other floats",
        ),
        ("update theirs.marts.people set rate = null where amount = 1", "1 rows with other floats"),
        ("update theirs.marts.people set rate = 0 where amount = 3", "1 rows with other floats"),
        ("alter table theirs.marts.people alter amount type decimal(18, 2)", "columns differ"),
        ("alter table theirs.marts.people drop rate", "columns differ"),
    ],
)
def test_a_difference_is_told(sides: Sides, change: str, told: str) -> None:
    sides.connection.execute(change)

    (first, *_) = sides.differences([TABLE], KNOWN)

    assert first.startswith("marts.people: ")
    assert told in first
