from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from expectations.audit import judge_suite
from expectations.frames import release_frame
from expectations.outcomes import CheckOutcome
from expectations.release import release_suite
from tests.expectations.headlines import MARTS, judged_and_alarms

# what is changed in the story, and every expectation that minds
FAULTS = {
    "a bridge that does not add up": (
        "update marts.mrr_bridge_monthly set new_mrr_amount = 30.0001 where new_mrr_amount = 30",
        {"mrr_bridge_adds_up"},
    ),
    "a month that does not open where the last one closed": (
        "update marts.mrr_bridge_monthly set opening_mrr_amount = 29, closing_mrr_amount = 19 "
        "where month_start = '2026-02-01'",
        {"mrr_opens_where_the_month_before_closed", "marts_agree_with_each_other"},
    ),
    "a month without a row": (
        "update marts.mrr_bridge_monthly set month_start = '2026-03-01' "
        "where month_start = '2026-02-01'",
        {"mrr_bridge_has_every_month"},
    ),
    "a cell that ends before the others": (
        "insert into marts.mrr_bridge_monthly by name select * replace ('other' as country_code)"
        " from marts.mrr_bridge_monthly where month_start = '2026-01-01';"
        "update marts.mrr_bridge_monthly set closing_mrr_amount = 0, new_mrr_amount = 0"
        " where country_code = 'other'",
        {"mrr_bridge_has_every_month"},
    ),
    "churn that brings money": (
        "update marts.mrr_bridge_monthly set churn_mrr_amount = 10, contraction_mrr_amount = -20 "
        "where month_start = '2026-02-01'",
        {"mrr_movements_have_their_sign"},
    ),
    "a transfer that arrives nowhere": (
        "update marts.mrr_bridge_monthly set transfer_in_mrr_amount = 1, new_mrr_amount = 29 "
        "where month_start = '2026-01-01'",
        {"mrr_transfers_cancel_out"},
    ),
    "a subscriber counted twice": (
        "update marts.churn_monthly set new_subscribers = 4 where month_start = '2026-01-01'",
        {"subscriber_bridge_adds_up", "marts_agree_with_each_other"},
    ),
    "a subscriber who vanishes overnight": (
        "update marts.churn_monthly set opening_subscribers = 4, closing_subscribers = 3 "
        "where month_start = '2026-02-01'",
        {"subscribers_open_where_the_month_before_closed", "marts_agree_with_each_other"},
    ),
    "a month of nobody's": (
        "insert into marts.churn_monthly by name select * replace ('other' as country_code,"
        " 0 as opening_subscribers, 0 as new_subscribers, 0 as closing_subscribers)"
        " from marts.churn_monthly where month_start = '2026-01-01'",
        {"subscriber_bridge_has_every_month"},
    ),
    "a churn of no type": (
        "update marts.churn_monthly set voluntary_churned_subscribers = 0",
        {"churn_is_typed"},
    ),
    "more leavers than there were": (
        "update marts.churn_monthly set churned_from_opening = 4 where month_start = '2026-02-01'",
        {"churn_rate_is_a_rate"},
    ),
    "leavers of a country that had nobody": (
        "insert into marts.churn_monthly by name select * replace ('other' as country_code,"
        " 0 as opening_subscribers, 0 as churned_subscribers, 0 as closing_subscribers,"
        " 0 as voluntary_churned_subscribers) from marts.churn_monthly"
        " where month_start = '2026-02-01'",
        {"churn_rate_is_a_rate"},
    ),
    "a negative count": (
        "update marts.churn_monthly set voluntary_churned_subscribers = -1, "
        "involuntary_churned_subscribers = 2 where month_start = '2026-02-01'",
        {"subscriber_counts_are_not_negative"},
    ),
    "a move to a tier where nobody arrives": (
        "update marts.churn_monthly set transferred_out = 1, new_subscribers = 4 "
        "where month_start = '2026-01-01'",
        {"subscriber_transfers_cancel_out", "marts_agree_with_each_other"},
    ),
    "net revenue that forgets a refund": (
        "update marts.revenue_monthly set net_revenue_amount = 25 where month_start = '2026-02-01'",
        {"net_revenue_is_recognised_less_refunded"},
    ),
    "payments below nothing": (
        "update marts.revenue_monthly set collected_amount = -0.01",
        {"collected_is_not_negative"},
    ),
    "paying time below nothing": (
        "update marts.revenue_monthly set average_paying_subscribers = -0.5",
        {"average_paying_subscribers_are_not_negative"},
    ),
    "payers without access": (
        "update marts.revenue_monthly set average_paying_subscribers = 4",
        {"who_pays_has_access"},
    ),
    "a cohort that keeps more than it had": (
        "update marts.retention_cohorts set retained_subscribers = 4, retention_rate = 1.3333 "
        "where months_since_start = 1",
        {"retained_are_of_the_cohort", "highest_retention_is_a_rate"},
    ),
    "someone who never lapsed and is not there": (
        "update marts.retention_cohorts set retained_subscribers = 1 where months_since_start = 1",
        {"never_lapsed_are_of_the_retained"},
    ),
    "someone who comes back without having lapsed": (
        "update marts.retention_cohorts set never_lapsed_subscribers = 1 "
        "where months_since_start = 0",
        {"never_lapsed_only_fall"},
    ),
    "a cohort that grows": (
        "update marts.retention_cohorts set cohort_size = 4 where months_since_start = 1",
        {"cohorts_keep_their_size"},
    ),
    "a cohort without its second month": (
        "delete from marts.retention_cohorts where months_since_start = 1",
        {"cohort_months_are_in_place"},
    ),
    "an open month in the middle": (
        "update marts.retention_cohorts set retained_subscribers = null, retention_rate = null, "
        "never_lapsed_subscribers = null where months_since_start = 0",
        {"cohort_months_are_in_place"},
    ),
    "a negative retention": (
        "update marts.retention_cohorts set retention_rate = -0.1 where months_since_start = 1",
        {"lowest_retention_is_a_rate"},
    ),
    "survival above 1": (
        "update marts.survival_curves set survival = 1.1, ci_lower = null, ci_upper = null "
        "where tenure_days = 40",
        {"highest_survival_is_a_probability"},
    ),
    "survival below 0": (
        "update marts.survival_curves set survival = -0.1, ci_lower = null, ci_upper = null "
        "where tenure_days = 59",
        {"lowest_survival_is_a_probability"},
    ),
    "survival that rises": (
        "update marts.survival_curves set survival = 0.7 where tenure_days = 59",
        {"survival_only_falls"},
    ),
    "an interval beside its estimate": (
        "update marts.survival_curves set ci_lower = 0.7",
        {"intervals_hold_their_survival"},
    ),
    "someone at risk who left": (
        "update marts.survival_curves set at_risk = 3 where tenure_days = 59",
        {"risk_sets_shrink_by_who_left"},
    ),
    "a curve of other people": (
        "update marts.survival_curves set stratum = 'channel'",
        {"marts_agree_with_each_other"},
    ),
    "a state that ends before it begins": (
        "update marts.fct_subscription_states set valid_to = valid_from where valid_to is not null",
        {"facts_are_possible"},
    ),
    "a lifetime without an end type": (
        "update marts.fct_subscriber_lifetimes set end_type = null",
        {"facts_are_possible"},
    ),
    "a churn that is lost": (
        "delete from marts.fct_churn_events",
        {"marts_agree_with_each_other"},
    ),
    "a movement that is lost": (
        "delete from marts.fct_mrr_movements where category = 'churn'",
        {"marts_agree_with_each_other"},
    ),
    "more valid plays than plays": (
        "update marts.viewing_daily set valid_plays = 3",
        {"facts_are_possible"},
    ),
    "a raw row that is nowhere": (
        "update quality.row_reconciliation set accepted_rows = accepted_rows - 1 "
        "where table_name = 'payments'",
        {"every_row_is_accounted_for"},
    ),
    "a negative count of rows": (
        "update quality.row_reconciliation set duplicate_rows = -1, "
        "superseded_rows = superseded_rows + 2 where table_name = 'payments'",
        {"row_counts_are_not_negative"},
    ),
    "rows that no feed was judged on": (
        "delete from quality.feed_profile where table_name = 'payments' "
        "and profile_date = '2026-02-01'",
        {"feeds_were_judged_on_all_rows"},
    ),
    "a cent that is nowhere": (
        "update quality.money_reconciliation set recognised_minor = 4999",
        {"every_minor_unit_is_accounted_for"},
    ),
}


def release_frames(connection: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    return {name: release_frame(connection, name) for name in release_suite().frames}


def judged(slot: Any, connection: duckdb.DuckDBPyConnection) -> list[CheckOutcome]:  # noqa: ANN401
    return judge_suite(slot, release_suite(), release_frames(connection))


@pytest.fixture(scope="module")
def told(story: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    return release_frames(story)


def test_the_story_is_released(slot: Any, warehouse: duckdb.DuckDBPyConnection) -> None:  # noqa: ANN401
    outcomes = judged(slot, warehouse)
    assert [each for each in outcomes if not each.success] == []
    assert any(each.observed == "2 of 2 as expected" for each in outcomes)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_cannot_be_stops_the_release(
    slot: Any,  # noqa: ANN401
    told: dict[str, pd.DataFrame],
    warehouse: duckdb.DuckDBPyConnection,
    fault: str,
) -> None:
    statement, expected = FAULTS[fault]
    warehouse.execute(statement)
    frames = release_frames(warehouse)
    # a frame that the fault does not touch has been judged with the story
    touched = {name for name, frame in frames.items() if not frame.equals(told[name])}
    suite = release_suite()
    suite = replace(
        suite, expectations=tuple(each for each in suite.expectations if each.frame in touched)
    )
    failed = [each for each in judge_suite(slot, suite, frames) if not each.success]
    assert {each.expectation for each in failed} == expected
    assert {each.severity for each in failed} == {"critical"}


def test_every_critical_expectation_has_a_fault_that_it_catches() -> None:
    caught = set().union(*(expected for _, expected in FAULTS.values()))
    critical = {each.name for each in release_suite().expectations if each.severity == "critical"}
    assert caught == critical


def test_the_place_of_a_fault_is_named(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("update quality.money_reconciliation set recognised_minor = 4999")
    (failed,) = [each for each in judged(slot, warehouse) if not each.success]
    assert failed.observed == "lost_minor at USD: 1"
    assert (failed.table_name, failed.column) == ("quality.money_reconciliation", "raw_minor")


MONTHS = 20

LARGE_HISTORY = """
delete from marts.mrr_bridge_monthly;
delete from marts.churn_monthly;
delete from marts.revenue_monthly;
create temporary table months as
select
    number,
    cast(timestamp '2024-07-01' + number * interval 1 month as date) as month_start,
    cast(10000 as double) as mrr,
    1000 as subscribers,
    50 as lost,
    cast(100 as double) as net_a_day
from range(MONTHS) as numbers (number);
update months set SERIES;
update months set LAST where number = MONTHS - 1;
insert into marts.mrr_bridge_monthly
select month_start, 'basic', 'US', 'search', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, mrr, true from months;
insert into marts.churn_monthly
select
    month_start, 'basic', 'US', 'search', subscribers, lost, 0, 0, 0, lost, lost, lost, 0, 0,
    subscribers, true
from months;
insert into marts.revenue_monthly
select
    month_start, net_a_day * day(last_day(month_start)), 0, net_a_day * day(last_day(month_start)),
    0, net_a_day, 1000, 1000, 10, 10, true
from months;
"""

MRR = "mrr_is_near_last_months"
REVENUE = "net_revenue_is_near_last_months"
CHURN = "churn_rate_is_near_the_usual"

# growths of +8 % and -8 % in turn: half of the months before lie 0.08 from the median of six, so a
# spread is 0.08 / 0.6745 = 0.1186, and five are 0.593
RESTLESS = "mrr = 10000 * exp(0.08 * (number % 2))"

# 50 of 1000 come and 50 leave: chance is sqrt(100) / 1000 = 0.01, with that of a median of six
# 0.0112, and five spreads are 0.056
STEADY = "mrr = mrr"


def large_history(connection: duckdb.DuckDBPyConnection, series: str, last: str) -> None:
    """Twenty months of a thousand subscribers; `last` sets the figures of February 2026."""
    statements = LARGE_HISTORY.replace("MONTHS", str(MONTHS)).replace("SERIES", series)
    connection.execute(statements.replace("LAST", last))


@pytest.mark.parametrize(
    ("series", "last", "expected"),
    [
        (STEADY, "mrr = mrr", None),
        # ln(0.95) = -0.051 is within five spreads, ln(0.94) = -0.062 is not
        (STEADY, "mrr = mrr * 0.95", None),
        (STEADY, "mrr = mrr * 0.94", MRR),
        (STEADY, "mrr = mrr * 1.07", MRR),
        # where nobody comes or leaves, a leap must still be one that matters
        ("lost = 0", "mrr = mrr * 0.96", None),
        ("lost = 0", "mrr = mrr * 0.94", MRR),
        # what is usual in one service is a leap in another; number 19 is odd, at its usual level
        (RESTLESS, "mrr = mrr * 0.7", None),
        (RESTLESS, "mrr = mrr * 0.45", MRR),
        # who always grows is asked about when it stops
        ("mrr = 10000 * power(1.2, number)", "mrr = mrr", None),
        ("mrr = 10000 * power(1.2, number)", "mrr = 10000 * power(1.2, number - 1)", MRR),
        # a fault of five months ago hides no other
        ("mrr = case number when 14 then 5000 else 10000 end", "mrr = 5000", MRR),
        # a day of February brought what a day of January did, in three days less
        (STEADY, "net_a_day = net_a_day", None),
        (STEADY, "net_a_day = net_a_day * 28 / 31", REVENUE),
        (STEADY, "net_a_day = net_a_day * 2", REVENUE),
        # what has fallen to nothing has no growth, and is the worst that can be
        (STEADY, "mrr = 0", MRR),
        (STEADY, "net_a_day = -1", REVENUE),
        # asin(sqrt(0.05)) = 0.2255, chance is 0.5 / sqrt(1000) * 1.123 = 0.0178, and the arcsine of
        # 0.2255 + 5 * 0.0178 = 0.3143 is that of a rate of 9.6 %
        (STEADY, "lost = 93", None),
        (STEADY, "lost = 98", CHURN),
        # 100,000 subscribers, where chance allows 0.4 points: less than a point is nobody's alarm
        ("subscribers = 100000, lost = 5000", "lost = 5900", None),
        ("subscribers = 100000, lost = 5000", "lost = 6100", CHURN),
        # few subscribers are not judged
        ("subscribers = 199, lost = 10", "mrr = mrr / 2, lost = 60", None),
    ],
)
def test_a_leap_of_a_headline_is_a_warning(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
    series: str,
    last: str,
    expected: str | None,
) -> None:
    large_history(warehouse, series, last)
    frame = release_frame(warehouse, "release_headline")
    # it is judged, or says nothing
    assert frame["mrr_ratio"].notna().all() == ("199" not in series)
    headline = replace(
        release_suite(),
        expectations=tuple(
            each for each in release_suite().expectations if each.frame == "release_headline"
        ),
    )
    outcomes = judge_suite(slot, headline, {"release_headline": frame})
    assert {each.severity for each in outcomes} == {"warning"}
    assert [each.expectation for each in outcomes if not each.success] == (
        [expected] if expected else []
    )


def test_a_headline_is_judged_from_fourteen_months_on(warehouse: duckdb.DuckDBPyConnection) -> None:
    large_history(warehouse, STEADY, "mrr = mrr / 2")
    for months, is_judged in ((14, True), (13, False)):
        for table in ("mrr_bridge_monthly", "churn_monthly", "revenue_monthly"):
            warehouse.execute(
                f"delete from marts.{table}"
                f" where month_start <= date '2026-02-01' - interval {months} month"
            )
        frame = release_frame(warehouse, "release_headline")
        assert frame["mrr_ratio"].notna().all() == is_judged


def test_the_months_of_a_release_are_judged_as_each_was_when_it_ended(
    empty: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    large_history(empty, STEADY, "mrr = mrr / 2")
    path = tmp_path / "tenure.duckdb"
    empty.execute(f"attach '{path}' as release")
    empty.execute("create schema release.marts")
    for mart in MARTS:
        empty.execute(f"create table release.marts.{mart} as from marts.{mart}")
    empty.execute("detach release")
    # seven months of each growth, from the fourteenth on, and eight of the churn rate
    assert judged_and_alarms(path) == (22, [f"{MRR} at 2026-02: 0.500"])


def test_a_large_quarantine_is_a_warning(
    slot: Any,  # noqa: ANN401
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute(
        "update quality.row_reconciliation set quarantined_rows = quarantined_rows + 1000, "
        "accepted_rows = accepted_rows - 1000 where table_name = 'payments'"
    )
    (failed,) = [each for each in judged(slot, warehouse) if not each.success]
    assert (failed.expectation, failed.severity) == ("quarantine_is_small", "warning")
    assert failed.observed.startswith("quarantined_share at payments: 0.011")
