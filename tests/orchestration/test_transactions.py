"""What stands together or not at all."""

from pathlib import Path

import duckdb
import pytest

from orchestration.database.transactions import one_transaction


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "build.duckdb"


def rows(file: Path) -> list[tuple[int]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute("from numbers").fetchall()


def test_what_is_done_within_stands_at_the_end(file: Path) -> None:
    with duckdb.connect(str(file)) as connection, one_transaction(connection):
        connection.execute("create table numbers (number integer)")
        connection.executemany("insert into numbers values (?)", [(1,), (2,)])

    assert rows(file) == [(1,), (2,)]


def test_of_what_breaks_half_way_nothing_is_left_and_the_connection_goes_on(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table numbers (number integer not null)")

        with pytest.raises(duckdb.ConstraintException), one_transaction(connection):
            connection.executemany("insert into numbers values (?)", [(1,), (None,)])
        connection.execute("insert into numbers values (3)")

    assert rows(file) == [(3,)]


def broken_without_a_way_back(connection: duckdb.DuckDBPyConnection) -> None:
    with one_transaction(connection):
        connection.rollback()
        raise ValueError("the first")


def test_the_first_error_is_told_where_there_is_no_way_back(file: Path) -> None:
    with (
        duckdb.connect(str(file)) as connection,
        pytest.raises(ValueError, match="the first"),
    ):
        broken_without_a_way_back(connection)
