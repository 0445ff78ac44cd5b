from datetime import timedelta
from typing import Any

import duckdb
import pytest

from expectations.audit import judge_suite
from expectations.feeds import FEEDS, feed_suite
from expectations.frames import feed_frames
from tests.expectations.warehouse import AS_OF

BY_NAME = {feed.table_name: feed for feed in FEEDS}


def failures(slot: Any, connection: duckdb.DuckDBPyConnection, table_name: str) -> dict[str, str]:  # noqa: ANN401
    frames = feed_frames(connection, AS_OF).get(table_name, {})
    outcomes = judge_suite(slot, feed_suite(BY_NAME[table_name]), frames)
    return {each.expectation: each.observed for each in outcomes if not each.success}


def plant(connection: duckdb.DuckDBPyConnection, statement: str, table_name: str) -> None:
    connection.execute(
        statement.replace("profile ", "quality.feed_profile ")
        .replace("of_day", "profile_date = date '2026-03-31' and of_table")
        .replace("of_table", f"table_name = '{table_name}'")
        .replace("new_row", f"'{table_name}', date '2026-03-31'")
    )


@pytest.mark.parametrize("table_name", BY_NAME)
def test_a_clean_feed_is_not_minded(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
    table_name: str,
) -> None:
    assert failures(slot, warehouse, table_name) == {}


@pytest.mark.parametrize("table_name", BY_NAME)
def test_each_feed_minds_a_day_that_did_not_come(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
    table_name: str,
) -> None:
    plant(warehouse, "delete from profile where of_day", table_name)
    expected = {"rows_of_a_day_are_near_the_usual": "rows_ratio at 2026-03-31: 0"}
    if BY_NAME[table_name].is_daily:
        expected["no_day_is_empty"] = "rows_where_usual at 2026-03-31: 0"
    assert failures(slot, warehouse, table_name) == expected


@pytest.mark.parametrize(
    ("fault", "table_name", "statement", "expected"),
    [
        (
            "a third of the day is missing, at night",
            "playback_sessions",
            "update profile set value = 14 where of_day and metric = 'event_hours'",
            {"events_cover_the_usual_hours": "missing_hours at 2026-03-31: 10"},
        ),
        (
            "a clock stands still",
            "playback_sessions",
            "update profile set value = 1 where of_day and metric = 'event_hours'",
            {"events_cover_the_usual_hours": "missing_hours at 2026-03-31: 23"},
        ),
        (
            "a batch came twice",
            "payments",
            "update profile set value = value * 2 where of_day and metric in ('rows', 'nulls')"
            " or of_day and metric = 'category_rows'",
            {
                "rows_are_not_repeated_more_than_usual": "repeated_share_change at 2026-03-31: 0.5",
                "rows_of_a_day_are_near_the_usual": None,
            },
        ),
        (
            "a column is not filled any more",
            "payments",
            "insert into profile values (new_row, 'incomplete_rows', 'all', 'all', 400, 0.4),"
            " (new_row, 'nulls', 'invoice_id', 'all', 400, 0.4)",
            {"rows_are_complete": None, "shares_stay_near_those_of_28_days": None},
        ),
        (
            "a time zone was taken for UTC",
            "subscription_changes",
            "insert into profile values (new_row, 'early_rows', 'all', 'all', 1000, 1)",
            {"events_do_not_lie_after_their_arrival": None},
        ),
        (
            "a status got a new name",
            "payments",
            "insert into profile values (new_row, 'category_rows', 'status', 'unlisted', 3, 0.003)",
            {"status_is_of_the_list": "unlisted_status at 2026-03-31: 0.003"},
        ),
        (
            "a way to pay that nobody knows, once, is no matter",
            "payments",
            "insert into profile values (new_row, 'category_rows', 'method', 'unlisted', 3, 0.003)",
            {},
        ),
        (
            "a sign is turned",
            "payments",
            "update profile set value = -5 where of_day and metric = 'minimum'",
            {"amount_minor_is_not_too_low": "minimum_amount_minor at 2026-03-31: -5"},
        ),
        (
            "euros are sent in another unit",
            "payments",
            "update profile set value = value * 100"
            " where of_day and metric = 'sum' and category = 'EUR'",
            {"mean_amount_minor_keeps_its_scale": "mean_ratio_amount_minor at 2026-03-31 EUR: 100"},
        ),
        (
            "the euro market's export is missing",
            "payments",
            "delete from profile where of_day and category = 'EUR'",
            {
                "shares_stay_near_those_of_28_days": "share_change at "
                "2026-03-31 currency EUR: -0.297"
            },
        ),
        (
            "an answer beyond the scale",
            "support_tickets",
            "insert into profile values (new_row, 'maximum', 'csat_score', 'all', 50, null)",
            {"csat_score_is_not_too_high": "maximum_csat_score at 2026-03-31: 50"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value and len(value) < 60 else "",
)
def test_a_planted_fault_is_caught_by_name(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
    fault: str,
    table_name: str,
    statement: str,
    expected: dict[str, str | None],
) -> None:
    plant(warehouse, statement, table_name)
    found = failures(slot, warehouse, table_name)
    assert set(found) == set(expected), fault
    for name, observed in expected.items():
        assert observed is None or found[name].startswith(observed)


def test_a_feed_that_stopped_is_stale(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    plant(
        warehouse,
        "delete from profile where of_table and profile_date > date '2026-03-28'",
        "survey_responses",
    )
    # so few a day that a missing one alone says nothing
    plant(
        warehouse,
        "update profile set value = 40 where of_table and metric = 'rows'",
        "survey_responses",
    )
    assert failures(slot, warehouse, "survey_responses")["feed_is_fresh"] == (
        "silent_days at 2026-03-31: 3"
    )


def test_a_feed_that_comes_once_a_week_is_not_stale(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    plant(
        warehouse,
        "delete from profile where of_table and isodow(profile_date) <> 4",
        "marketing_spend",
    )
    assert failures(slot, warehouse, "marketing_spend") == {}


def test_a_first_load_of_years_in_one_day_is_not_minded(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    plant(
        warehouse,
        "delete from profile where not profile_date = '2026-03-31' and of_table",
        "payments",
    )
    plant(warehouse, "update profile set value = value * 1000 where of_day", "payments")
    plant(
        warehouse,
        "update profile set value = 24 where of_day and metric = 'event_hours'",
        "payments",
    )
    assert failures(slot, warehouse, "payments") == {}


def test_a_day_that_is_not_over_is_not_judged_by_its_volume(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    noon = AS_OF - timedelta(hours=12)
    plant(warehouse, "update profile set value = 400 where of_day and metric = 'rows'", "payments")
    days = feed_frames(warehouse, noon)["payments"]["days"].set_index("profile_date")
    assert days.loc["2026-03-31", "row_count"] == 400
    assert days["rows_ratio"].isna().tolist() == [False, False, False, True]


def test_a_fault_is_told_for_three_days() -> None:
    for days_later, is_told in ((0, True), (2, True), (3, False)):
        as_of = AS_OF - timedelta(days=10 - days_later)
        with duckdb.connect() as connection:
            connection.execute("create schema quality")
            connection.execute(
                "create table quality.row_reconciliation"
                " (table_name varchar, raw_rows bigint, superseded_rows bigint)"
            )
            connection.execute(
                "create table quality.feed_profile as select 'payments' as table_name, "
                "cast(day as date) as profile_date, 'rows' as metric, 'all' as column_name, "
                "'all' as category, "
                "case when day = timestamp '2026-03-21' then 10.0 else 1000.0 end as value, "
                "1.0 as share from "
                "generate_series(timestamp '2026-01-01', timestamp '2026-03-31', interval 1 day) "
                "as days (day)"
            )
            days = feed_frames(connection, as_of)["payments"]["days"]
        assert bool((days["rows_ratio"] < 0.35).any()) is is_told
