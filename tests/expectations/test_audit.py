import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from expectations.audit import AuditError, judge, judge_suite
from expectations.feeds import feed_suites
from expectations.frames import feed_frames, release_frame
from expectations.release import release_suite
from expectations.suites import Expectation, Suite, between
from tests.expectations.warehouse import AS_OF

# what a frame may have at most, whatever the volume and the history of the service
MOST_ROWS = 2_000


def test_all_suites_are_judged_in_one_go(warehouse: duckdb.DuckDBPyConnection) -> None:
    outcomes = judge(warehouse, as_of=AS_OF)
    expected = [
        (suite.name, each.name)
        for suite in (*feed_suites(), release_suite())
        for each in suite.expectations
    ]
    assert [(each.suite, each.expectation) for each in outcomes] == expected
    assert all(each.success for each in outcomes)


def test_a_failure_has_the_severity_of_its_expectation_and_counts_what_broke_it(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("update marts.retention_cohorts set cohort_size = 2")
    warehouse.execute(
        "delete from quality.feed_profile "
        "where table_name = 'payments' and profile_date in ('2026-03-29', '2026-03-31')"
    )
    failed = {
        (each.suite, each.expectation): (each.severity, each.failures)
        for each in judge(warehouse, as_of=AS_OF)
        if not each.success
    }
    assert failed == {
        ("feed_payments", "rows_of_a_day_are_near_the_usual"): ("warning", 2),
        ("feed_payments", "no_day_is_empty"): ("warning", 2),
        ("release", "retained_are_of_the_cohort"): ("critical", 1),
        ("release", "marts_agree_with_each_other"): ("critical", 1),
        ("release", "feeds_were_judged_on_all_rows"): ("critical", 1),
    }


def test_a_feed_that_is_emptied_is_told_and_one_that_was_always_empty_is_not(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("delete from quality.feed_profile where table_name = 'support_tickets'")
    warehouse.execute("delete from quality.row_reconciliation")
    warehouse.execute(
        "insert into quality.row_reconciliation values ('payments', 1, 1, 0, 0, 0, 0)"
    )
    before = {"payments": 60_000, "support_tickets": 1_234, "refunds": 0}
    outcomes = judge(warehouse, as_of=AS_OF, accepted_before=before)
    found = {
        each.table_name: (each.success, each.severity, each.observed)
        for each in outcomes
        if each.expectation == "feed_still_has_rows"
    }
    assert found["support_tickets"] == (
        False,
        "warning",
        "accepted_rows at 1,234 rows in a kept release: 0",
    )
    assert found["payments"] == (True, "warning", "1 of 1 as expected")
    assert found["refunds"] == (True, "warning", "nothing to judge")


def test_a_service_that_has_not_begun_has_no_faults(empty: duckdb.DuckDBPyConnection) -> None:
    outcomes = judge(empty, as_of=AS_OF)
    assert all(each.success for each in outcomes)
    assert {each.observed for each in outcomes if each.suite != "release"} == {"nothing to judge"}


def test_a_service_with_an_empty_reconciliation_has_no_faults(
    empty: duckdb.DuckDBPyConnection,
) -> None:
    empty.execute("insert into quality.row_reconciliation values ('payments', 0, 0, 0, 0, 0, 0)")
    assert all(each.success for each in judge(empty, as_of=AS_OF))


def test_a_service_of_one_day_has_no_faults(empty: duckdb.DuckDBPyConnection) -> None:
    empty.execute(
        """
        insert into quality.feed_profile
        select table_name, '2026-03-31', unnest(['rows', 'distinct_keys']), 'all', 'all', 1, 1
        from (values ('subscribers'), ('subscription_changes'), ('plans')) as feeds (table_name);
        insert into quality.row_reconciliation
        select table_name, 1, 1, 0, 0, 0, 0
        from (values ('subscribers'), ('subscription_changes'), ('plans')) as feeds (table_name);
        insert into marts.mrr_bridge_monthly values
            ('2026-03-01', 'basic', 'US', 'search', 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, true);
        insert into marts.churn_monthly values
            ('2026-03-01', 'basic', 'US', 'search', 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, true);
        insert into marts.revenue_monthly values
            ('2026-03-01', 0, 0, 0, 0, 0, 0.03, 0.03, null, null, true);
        insert into marts.retention_cohorts values ('2026-03-01', 0, 1, 1, 1, 1);
        insert into marts.survival_curves values ('overall', 'all', 0, 1, 0, 1, 1, 0, 1, 1);
        insert into marts.fct_subscription_states values
            ('s1', 'ann', 'active', 'p', '2026-03-31', null, 5);
        insert into marts.fct_subscriber_lifetimes values
            ('ann', 1, '2026-03-31', null, null);
        insert into marts.fct_mrr_movements values ('ann', '2026-03-31', 'new', 5);
        """
    )
    assert [each for each in judge(empty, as_of=AS_OF) if not each.success] == []


def test_a_clock_without_a_zone_is_refused(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="time zone"):
        judge(warehouse, as_of=datetime(2026, 4, 1))  # noqa: DTZ001 that is what is refused


def test_an_older_clock_judges_the_days_before_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    frames = feed_frames(warehouse, datetime(2026, 3, 11, tzinfo=UTC))
    assert frames["payments"]["days"]["profile_date"].tolist() == [
        "2026-03-08",
        "2026-03-09",
        "2026-03-10",
    ]


def test_a_mart_that_is_missing_is_an_error(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("drop table marts.churn_monthly")
    with pytest.raises(duckdb.CatalogException, match="churn_monthly"):
        judge(warehouse, as_of=AS_OF)


def test_an_expectation_that_cannot_be_judged_is_an_error(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    misspelt = Expectation(
        name="misspelt",
        frame="release_money",
        type="expect_column_values_to_be_between",
        kwargs=between("lost_pennies", 0, 0),
        severity="critical",
        why="",
        owner="",
        what_to_do="",
        table_name="quality.money_reconciliation",
    )
    frames = {"release_money": release_frame(warehouse, "release_money")}
    with pytest.raises(AuditError, match="lost_pennies"):
        judge_suite(slot, Suite(name="release", expectations=(misspelt,)), frames)


def test_frames_stay_small_when_the_service_is_large(empty: duckdb.DuckDBPyConnection) -> None:
    empty.execute(
        """
        create temporary table cells as
        select
            cast(month as date) as month_start,
            'tier' || tiers.tier as plan_tier,
            'c' || countries.country as country_code
        from
            generate_series(
                timestamp '2006-01-01', timestamp '2025-12-01', interval 1 month
            ) as months (month),
            range(4) as tiers (tier),
            range(100) as countries (country);
        insert into marts.mrr_bridge_monthly
        select *, 'search', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, true from cells;
        insert into marts.churn_monthly
        select *, 'search', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, true from cells;
        insert into marts.retention_cohorts
        select distinct cohorts.month_start, months.nr, 1, 1, 1, 1
        from cells as cohorts, range(240) as months (nr);
        insert into marts.survival_curves
        select 'country', 'c' || country, tenure, 7300 - tenure, 0, 1, 1, 0, 1, 1
        from range(100) as countries (country), range(7300) as tenures (tenure);
        insert into quality.feed_profile
        select
            feeds.table_name, cast(day as date), 'category_rows', 'column' || categories.nr % 10,
            'value' || categories.nr, 1000, 0.1
        from
            (select unnest(['payments', 'invoices']) as table_name) as feeds,
            generate_series(
                timestamp '2024-01-01', timestamp '2026-03-31', interval 1 day
            ) as days (day),
            range(100) as categories (nr);
        insert into quality.feed_profile
        select distinct table_name, profile_date, 'rows', 'all', 'all', 10000, 1
        from quality.feed_profile;
        """
    )
    sizes = {name: len(release_frame(empty, name)) for name in release_suite().frames}
    for table_name, frames in feed_frames(empty, AS_OF).items():
        sizes |= {f"{table_name}.{name}": len(frame) for name, frame in frames.items()}
    assert max(sizes.values()) <= MOST_ROWS
    assert sizes["release_mrr_bridge"] == 240
    assert sizes["payments.mix"] == 3 * 100


def test_suites_are_read_without_loading_great_expectations() -> None:
    code = (
        "import sys; import expectations.audit; from expectations.feeds import feed_suites; "
        "feed_suites(); sys.exit('great_expectations' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
