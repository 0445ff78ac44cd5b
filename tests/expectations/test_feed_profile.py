from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from expectations.feeds import FEEDS
from tests.one_parse import invoke_dbt, what_failed

ROOT = Path(__file__).parents[2]
SENTINEL = "marked-as-personal@example.org"
MINIMUM, MAXIMUM, UNLISTED, SUM = "minimum", "maximum", "category_rows", "sum"

Profile = set[tuple[str, str, str]]


def sources() -> dict[str, dict[str, Any]]:
    return {
        table["name"]: table
        for path in sorted((ROOT / "models" / "staging").glob("*/_*__sources.yml"))
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        if source["name"] == "raw"
        for table in source["tables"]
    }


def literal(column: dict[str, Any]) -> str:
    """A value of the column's type that is known to no list; text is marked as personal."""
    return {
        "string": f"'{SENTINEL}'",
        "timestamp": "timestamp '2026-03-01 10:00:00'",
        "date": "date '2026-03-01'",
        "boolean": "true",
        "bigint": "1987",
    }.get(column["data_type"], "1")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The profile that dbt builds of one complete row and one row of nulls in each raw table."""
    folder = tmp_path_factory.mktemp("warehouse")
    with duckdb.connect(str(folder / "build.duckdb")) as connection:
        connection.execute("create schema raw")
        for name, table in sources().items():
            columns = table["columns"]
            types = ", ".join(f"{each['name']} {each['data_type']}" for each in columns)
            connection.execute(f"create table raw.{name} ({types})")
            values = ", ".join(literal(each) for each in columns)
            nulls = ", ".join("null" for _ in columns)
            connection.execute(f"insert into raw.{name} values ({values}), ({nulls})")
    arguments = [
        *("run", "--select", "+stg_profiles__playback_sessions", "path:models/staging/profiles"),
        *("feed_profile", "--vars", "{as_of: '2026-03-02 00:00:00'}"),
    ]
    result = invoke_dbt(arguments, folder, target=folder / "target")
    assert result.success, what_failed(result)
    with duckdb.connect(str(folder / "build.duckdb"), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def measured(profile: duckdb.DuckDBPyConnection) -> Profile:
    rows = profile.execute(
        "select distinct table_name, metric, column_name from quality.feed_profile"
    ).fetchall()
    return set(rows)


@pytest.mark.parametrize("table_name", sources())
def test_every_column_of_a_raw_table_is_profiled(measured: Profile, table_name: str) -> None:
    columns = {each["name"] for each in sources()[table_name]["columns"]}
    assert {
        name for table, metric, name in measured if (table, metric) == (table_name, "nulls")
    } == (columns)


@pytest.mark.parametrize("table_name", sources())
def test_a_row_of_nulls_is_counted_and_incomplete(
    profile: duckdb.DuckDBPyConnection, table_name: str
) -> None:
    figures = profile.execute(
        "select metric, sum(value) from quality.feed_profile "
        "where table_name = ? and column_name = 'all' group by metric",
        [table_name],
    ).fetchall()
    expected = {"rows": 2, "distinct_keys": 1, "incomplete_rows": 1}
    event_time = sources()[table_name]["config"]["meta"]["event_time"]
    if event_time:
        types = {each["name"]: each["data_type"] for each in sources()[table_name]["columns"]}
        expected["event_hours"] = 1
        # an event of a day is dated at its first instant, ten hours before it is recorded at 10:00
        expected["median_delay"] = 36_000 if types[event_time] == "date" else 0
    assert dict(figures) == expected


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.table_name)
def test_a_suite_names_only_what_the_profile_measures(measured: Profile, feed: Any) -> None:  # noqa: ANN401
    named = {
        *((UNLISTED, column) for column in (*feed.strict_lists, *feed.open_lists)),
        *((SUM, column) for column in feed.scales),
        *((MINIMUM, column) for column, limits in feed.ranges.items() if limits[0] is not None),
        *((MAXIMUM, column) for column, limits in feed.ranges.items() if limits[1] is not None),
    }
    # a sum per currency has no row where no currency is known: its smallest amount says it is there
    without_currency = {(SUM, column) for column in feed.scales} - {
        (metric, column) for table, metric, column in measured if table == feed.table_name
    }
    for _, column in without_currency:
        assert (feed.table_name, MINIMUM, column) in measured
    for metric, column in named - without_currency:
        assert (feed.table_name, metric, column) in measured
    assert feed.has_event_time == bool(sources()[feed.table_name]["config"]["meta"]["event_time"])


def test_nothing_personal_is_in_the_profile(profile: duckdb.DuckDBPyConnection) -> None:
    found = profile.execute(
        "select * from quality.feed_profile "
        "where concat_ws(' ', table_name, metric, column_name, category) like ? "
        "or column_name = 'birth_year' and metric <> 'nulls'",
        [f"%{SENTINEL}%"],
    ).fetchall()
    assert found == []
