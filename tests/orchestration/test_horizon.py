"""The horizon that a build would have, which a run asks for before it builds."""

from collections.abc import Iterator
from datetime import datetime

import duckdb
import pytest

from orchestration.transform.horizon import check_horizon, horizon_to_be
from orchestration.transform.manifest import Manifest

TABLES = ("subscription_changes", "payments", "playback_sessions", "subscribers")


@pytest.fixture
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema raw")
        for table in TABLES:
            connection.execute(f"create table raw.{table} (recorded_at timestamp)")
        yield connection


def record(raw: duckdb.DuckDBPyConnection, table: str, *instants: str) -> None:
    for instant in instants:
        raw.execute(f"insert into raw.{table} values (?)", [instant])


def test_the_horizon_that_a_build_would_have_is_the_clocks_own(
    manifest: Manifest, raw: duckdb.DuckDBPyConnection
) -> None:
    record(raw, "subscribers", "2026-01-09 12:00:00")
    assert horizon_to_be(raw, manifest) == datetime.fromisoformat("2026-01-09T12:00:01")
    # the first play of a service, a late one: the horizon moves back
    record(raw, "playback_sessions", "2026-01-03 12:00:00")
    assert horizon_to_be(raw, manifest) == datetime.fromisoformat("2026-01-03T12:00:01")
    asked = horizon_to_be(raw, manifest, "2026-01-02 00:00:00")
    assert asked == datetime.fromisoformat("2026-01-02T00:00:00")


@pytest.mark.parametrize("instant", ["2200-01-01 00:00:00", "9999-12-31 23:59:59", "infinity"])
def test_a_horizon_of_another_century_is_a_slip(
    manifest: Manifest, raw: duckdb.DuckDBPyConnection, instant: str
) -> None:
    record(raw, "subscription_changes", "2026-01-03 12:00:00")
    record(raw, "payments", "2026-01-03 12:00:00", instant, instant)
    (fault,) = check_horizon(raw, manifest)
    assert str(fault).startswith("table payments: 2 of its rows are recorded in 2200 or later")
    assert "--as-of" in fault.advice


def test_a_row_of_another_century_is_none_of_an_earlier_horizon(
    manifest: Manifest, raw: duckdb.DuckDBPyConnection
) -> None:
    record(raw, "payments", "9999-12-31 23:59:59")
    assert check_horizon(raw, manifest, "2026-01-01 00:00:00") == ()


def test_a_horizon_of_this_century_is_none_of_the_gates_business(
    manifest: Manifest, raw: duckdb.DuckDBPyConnection
) -> None:
    assert check_horizon(raw, manifest) == ()
    record(raw, "payments", "2199-12-31 23:59:58")
    assert check_horizon(raw, manifest) == ()
    # who has come does not set it where something was sold
    record(raw, "subscribers", "9999-12-31 23:59:59")
    assert check_horizon(raw, manifest) == ()
