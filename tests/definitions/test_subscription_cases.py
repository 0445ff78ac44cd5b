"""Subscriptions, worked out by hand: states, lifetimes, movements, churn and the two bridges."""

from __future__ import annotations

from typing import Any

import pytest

from .intake import Row
from .reading import amounts, lifetimes, marts_of, months, movements
from .stories import at, change, subscription_story, told


def ended(when: str, end_reason: str | None = "cancelled", **given: Any) -> Row:  # noqa: ANN401 - cells
    return change(when, status="ended", end_reason=end_reason, **given)


def test_a_subscription_that_renews_is_paying_in_the_open_month() -> None:
    marts = marts_of(subscription_story(change("2026-09-25"), change("2026-10-25")))
    assert lifetimes(marts) == [("2026-09-25", None, None)]
    assert months(marts, "churn_monthly", "closing_subscribers")["2026-11"] == 1
    assert [r["is_complete"] for r in marts["churn_monthly"]] == [True, True, False]


def test_a_cancel_request_is_not_the_churn() -> None:
    requested = change("2026-06-08", cancel_requested_at="2026-06-08")
    marts = marts_of(subscription_story(change("2026-05-15"), requested, ended("2026-06-15")))
    assert movements(marts) == [
        ("2026-05-15", "new", "10.0000"),
        ("2026-06-15", "churn", "-10.0000"),
    ]
    assert lifetimes(marts) == [("2026-05-15", "2026-06-15", "voluntary")]


def test_a_return_within_the_hour_is_one_expansion() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-01-10"),
            ended("2026-03-05 10:00"),
            change("2026-03-05 10:40", subscription_id="s2", amount_minor=1500),
        )
    )
    assert movements(marts) == [
        ("2026-01-10", "new", "10.0000"),
        ("2026-03-05 10:40:00", "expansion", "5.0000"),
    ]
    assert lifetimes(marts) == [("2026-01-10", None, None)]


@pytest.mark.parametrize(
    ("back_at", "expected"),
    [
        ("2026-03-06 10:00", [("2026-01-10", None, None)]),
        (
            "2026-03-06 10:00:01",
            [
                ("2026-01-10", "2026-03-05 10:00:00", "voluntary"),
                ("2026-03-06 10:00:01", None, None),
            ],
        ),
    ],
)
def test_a_gap_is_bridged_up_to_and_with_24_hours(back_at: str, expected: list[object]) -> None:
    story = subscription_story(change("2026-01-10"), ended("2026-03-05 10:00"), change(back_at))
    assert lifetimes(marts_of(story)) == expected


def test_a_recent_stop_has_not_happened_yet() -> None:
    story = subscription_story(change("2026-11-01"), ended("2026-11-21 14:00"))
    assert lifetimes(marts_of(story)) == [("2026-11-01", None, None)]
    # to the microsecond: at stop + 24 hours somebody could still be back
    assert lifetimes(marts_of(story, as_of=at("2026-11-22 14:00"))) == [("2026-11-01", None, None)]
    later = marts_of(story, as_of=at("2026-11-24"))
    assert lifetimes(later) == [("2026-11-01", "2026-11-21 14:00:00", "voluntary")]
    assert movements(later)[-1] == ("2026-11-21 14:00:00", "churn", "-10.0000")


def test_of_two_rows_at_one_instant_the_later_recorded_counts() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-02-01", change_id="b", amount_minor=2000, recorded_at="2026-02-01 00:01"),
            change("2026-02-01", change_id="a", amount_minor=1000, recorded_at="2026-02-01 00:02"),
        )
    )
    assert movements(marts) == [("2026-02-01", "new", "10.0000")]
    assert len(marts["fct_subscription_states"]) == 1


def test_of_two_rows_recorded_together_the_greater_change_id_counts() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-02-01", change_id="b", amount_minor=2000),
            change("2026-02-01", change_id="a", amount_minor=1000),
        )
    )
    assert movements(marts) == [("2026-02-01", "new", "20.0000")]


def test_new_and_gone_in_one_month_was_in_no_opening() -> None:
    marts = marts_of(subscription_story(change("2026-10-03"), ended("2026-10-28")))
    october = next(r for r in marts["churn_monthly"] if r["month_start"].month == 10)
    assert (october["new_subscribers"], october["churned_subscribers"]) == (1, 1)
    assert (october["opening_subscribers"], october["churned_from_opening"]) == (0, 0)
    bridge = next(r for r in marts["mrr_bridge_monthly"] if r["month_start"].month == 10)
    assert [str(bridge[f"{c}_mrr_amount"]) for c in ("opening", "new", "churn", "closing")] == [
        "0.0000",
        "10.0000",
        "-10.0000",
        "0.0000",
    ]


def test_a_pause_is_no_churn() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01"), change("2026-07-01", status="paused"), change("2026-09-01")
        )
    )
    assert movements(marts) == [
        ("2026-05-01", "new", "10.0000"),
        ("2026-07-01", "pause", "-10.0000"),
        ("2026-09-01", "resume", "10.0000"),
    ]
    assert lifetimes(marts) == [("2026-05-01", None, None)]
    # August was a pause throughout: nobody paid, nobody had access, nobody had left
    august = next(r for r in marts["revenue_monthly"] if str(r["month_start"]) == "2026-08-01")
    assert (august["average_paying_subscribers"], august["average_subscribers"]) == (0.0, 0.0)
    assert months(marts, "churn_monthly", "closing_subscribers")["2026-08"] == 1


def test_the_end_of_a_pause_is_a_churn_of_nothing() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01"), change("2026-07-01", status="paused"), ended("2026-07-20")
        )
    )
    assert movements(marts)[-1] == ("2026-07-20", "churn", "0.0000")
    assert months(marts, "churn_monthly", "churned_subscribers")["2026-07"] == 1
    assert [str(r["mrr_amount"]) for r in marts["fct_churn_events"]] == ["0.0000"]


def test_a_pause_before_the_first_payment_is_no_lifetime() -> None:
    assert lifetimes(marts_of(subscription_story(change("2026-05-01", status="paused")))) == []


def test_a_failed_payment_that_is_made_good_changes_nothing() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-10-01"),
            change("2026-11-01", status="past_due"),
            change("2026-11-20"),
        )
    )
    assert movements(marts) == [("2026-10-01", "new", "10.0000")]


def test_a_failed_payment_ends_the_lifetime_after_28_days_and_once() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-08-01"),
            change("2026-09-01", status="past_due"),
            ended("2026-10-05", "cancelled"),
        )
    )
    assert lifetimes(marts) == [("2026-08-01", "2026-09-29", "involuntary")]
    (churn,) = marts["fct_churn_events"]
    # 1 August to 29 September: 31 + 28 days
    assert (churn["churn_reason"], churn["tenure_days"]) == ("payment_failed", 59)
    statuses = [r["status"] for r in marts["fct_subscription_states"]]
    assert statuses == ["active", "past_due", "unpaid", "ended"]


def test_grace_counts_from_the_first_of_several_failures_whoever_holds_it() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-08-01"),
            change("2026-09-01", status="past_due"),
            change("2026-09-08", status="past_due"),
            change("2026-09-15", status="past_due", subscriber_id="ben"),
            change("2026-09-22", status="past_due", subscriber_id="ben"),
        )
    )
    assert lifetimes(marts) == [("2026-08-01", "2026-09-15", "voluntary")]
    assert lifetimes(marts, "ben") == [("2026-09-15", "2026-09-29", "involuntary")]


def test_grace_needs_no_active_before_it() -> None:
    marts = marts_of(subscription_story(change("2026-09-01", status="past_due")))
    assert lifetimes(marts) == [("2026-09-01", "2026-09-29", "involuntary")]


def test_who_pays_again_after_a_month_unpaid_is_reactivated() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-06-01"), change("2026-07-01", status="past_due"), change("2026-09-01")
        )
    )
    assert movements(marts) == [
        ("2026-06-01", "new", "10.0000"),
        ("2026-07-29", "churn", "-10.0000"),
        ("2026-09-01", "reactivation", "10.0000"),
    ]
    assert [str(r["won_back_at"].date()) for r in marts["fct_churn_events"]] == ["2026-09-01"]


def test_a_trial_is_nothing_until_it_is_paid() -> None:
    marts = marts_of(
        subscription_story(change("2026-05-01", status="trialing"), change("2026-05-15"))
    )
    assert movements(marts) == [("2026-05-15", "new", "10.0000")]
    may = next(r for r in marts["revenue_monthly"] if str(r["month_start"]) == "2026-05-01")
    assert may["average_paying_subscribers"] == pytest.approx(17 / 31)
    assert may["average_subscribers"] == 1.0


def test_a_trial_that_ends_unpaid_is_no_churn() -> None:
    story = subscription_story(
        change("2026-05-01", status="trialing"), ended("2026-05-15", "trial_expired")
    )
    marts = marts_of(story)
    assert lifetimes(marts) == []
    assert marts["fct_churn_events"] == []


def test_from_paid_to_complimentary_is_a_churn_with_access() -> None:
    marts = marts_of(subscription_story(change("2026-05-01"), change("2026-06-01", amount_minor=0)))
    assert lifetimes(marts) == [("2026-05-01", "2026-06-01", "other")]
    june = next(r for r in marts["revenue_monthly"] if str(r["month_start"]) == "2026-06-01")
    assert (june["average_paying_subscribers"], june["average_subscribers"]) == (0.0, 1.0)
    assert june["arppu_amount"] is None


def test_one_of_two_subscriptions_ends() -> None:
    other: Row = {"subscription_id": "s2", "amount_minor": 500}
    marts = marts_of(
        subscription_story(
            change("2026-05-01"), change("2026-05-01", **other), ended("2026-06-10", **other)
        )
    )
    assert movements(marts) == [
        ("2026-05-01", "new", "15.0000"),
        ("2026-06-10", "contraction", "-5.0000"),
    ]
    assert months(marts, "churn_monthly", "closing_subscribers")["2026-06"] == 1


def test_two_that_end_at_one_instant_are_one_churn() -> None:
    other: Row = {"subscription_id": "s2", "amount_minor": 500}
    marts = marts_of(
        subscription_story(
            change("2026-05-01"),
            change("2026-05-01", **other),
            ended("2026-06-10", "admin"),
            ended("2026-06-10", "payment_failed", **other),
        )
    )
    assert movements(marts)[-1] == ("2026-06-10", "churn", "-15.0000")
    # the dearer of the two says why
    assert lifetimes(marts) == [("2026-05-01", "2026-06-10", "other")]


def test_one_ends_and_another_begins_at_one_instant() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01"),
            ended("2026-06-10"),
            change("2026-06-10", subscription_id="s2", amount_minor=700),
        )
    )
    assert movements(marts)[-1] == ("2026-06-10", "contraction", "-3.0000")


def test_who_ends_at_the_first_instant_of_march_is_in_marchs_opening_and_churn() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-02-10"),
            ended("2026-03-01"),
            change("2026-03-01", subscription_id="s2", subscriber_id="ben"),
        )
    )
    march = next(r for r in marts["churn_monthly"] if str(r["month_start"]) == "2026-03-01")
    assert (march["opening_subscribers"], march["churned_from_opening"]) == (1, 1)
    assert (march["new_subscribers"], march["closing_subscribers"]) == (1, 1)
    assert amounts(marts, "mrr_bridge_monthly", "churn_mrr_amount") == {"2026-03": "-10.0000"}
    assert amounts(marts, "mrr_bridge_monthly", "new_mrr_amount") == {
        "2026-02": "10.0000",
        "2026-03": "10.0000",
    }


def test_a_third_life_leaves_cohort_and_survival_alone() -> None:
    marts = marts_of(
        subscription_story(
            change("2025-01-10"),
            ended("2025-02-10"),
            change("2025-04-10"),
            ended("2025-05-10"),
            change("2026-07-10"),
        )
    )
    numbers = [r["lifetime_number"] for r in marts["fct_subscriber_lifetimes"]]
    assert numbers == [1, 2, 3]
    assert {str(r["cohort_month"]) for r in marts["retention_cohorts"]} == {"2025-01-01"}
    (point,) = [r for r in marts["survival_curves"] if r["stratum"] == "overall"]
    assert (point["tenure_days"], point["churned"], point["survival"]) == (31, 1, 0.0)
    assert (point["std_error"], point["ci_lower"], point["ci_upper"]) == (None, None, None)


def test_from_12_a_month_to_120_a_year() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01", amount_minor=1200),
            change("2026-06-01", amount_minor=12000, billing_period_unit="year"),
        )
    )
    assert movements(marts)[-1] == ("2026-06-01", "contraction", "-2.0000")
    assert [r["is_billing_period_change"] for r in marts["fct_mrr_movements"]] == [False, True]


@pytest.mark.parametrize(
    ("unit", "count", "amount_minor", "mrr"),
    [
        ("week", 1, 500, "21.6667"),
        ("day", 1, 50, "15.2083"),
        ("month", 3, 3000, "10.0000"),
        ("year", 2, 24000, "10.0000"),
        ("year", 1, 12000, "10.0000"),
    ],
)
def test_a_price_is_worth_so_much_a_month(
    unit: str, count: int, amount_minor: int, mrr: str
) -> None:
    story = subscription_story(
        change(
            "2026-05-01",
            billing_period_unit=unit,
            billing_period_count=count,
            amount_minor=amount_minor,
        )
    )
    assert movements(marts_of(story)) == [("2026-05-01", "new", mrr)]


@pytest.mark.parametrize(
    ("reason", "churn_type"),
    [
        ("gift_ended", "other"),
        ("admin", "other"),
        ("refunded", "voluntary"),
        ("cancelled", "voluntary"),
        ("payment_failed", "involuntary"),
        ("the cat did it", "voluntary"),
        (None, "voluntary"),
    ],
)
def test_the_reason_gives_the_type(reason: str | None, churn_type: str) -> None:
    marts = marts_of(subscription_story(change("2026-05-01"), ended("2026-06-10", reason)))
    (churn,) = marts["fct_churn_events"]
    assert churn["churn_type"] == churn_type
    assert churn["churn_reason"] == ("other" if reason == "the cat did it" else reason)


def test_a_subscription_that_changes_hands_stops_for_one_and_starts_for_the_other() -> None:
    marts = marts_of(
        subscription_story(change("2026-05-01"), change("2026-06-10", subscriber_id="ben"))
    )
    assert lifetimes(marts) == [("2026-05-01", "2026-06-10", "voluntary")]
    assert lifetimes(marts, "ben") == [("2026-06-10", None, None)]
    assert len(marts["fct_subscription_states"]) == 2


def test_the_old_level_holds_over_a_gap_whatever_comes_between() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01"),
            ended("2026-05-31 20:00"),
            change("2026-05-31 22:00", status="paused", subscription_id="s2"),
            change("2026-06-01 04:00", subscription_id="s2", plan_id="premium", amount_minor=1600),
        )
    )
    assert movements(marts)[1:] == [("2026-06-01 04:00:00", "expansion", "6.0000")]
    # May closes with the level of before; the move to the new tier is June's
    assert amounts(marts, "mrr_bridge_monthly", "closing_mrr_amount", plan_tier="basic") == {
        "2026-05": "10.0000"
    }
    transfers = amounts(marts, "mrr_bridge_monthly", "transfer_in_mrr_amount", plan_tier="premium")
    assert transfers == {"2026-06": "10.0000"}
    may = next(r for r in marts["revenue_monthly"] if str(r["month_start"]) == "2026-05-01")
    assert may["average_paying_subscribers"] == 1.0


def test_a_gap_out_of_a_pause_ends_with_a_resume() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01"),
            change("2026-06-01", status="paused"),
            ended("2026-06-20 10:00"),
            change("2026-06-20 12:00", subscription_id="s2", amount_minor=1200),
        )
    )
    assert movements(marts)[1:] == [
        ("2026-06-01", "pause", "-10.0000"),
        ("2026-06-20 12:00:00", "resume", "12.0000"),
    ]


def test_moving_between_tiers_transfers_the_level_and_then_expands() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01"),
            change("2026-06-10", plan_id="premium", amount_minor=1500),
            change("2026-07-10", plan_id="premium", amount_minor=1500, subscription_id="s0"),
            ended("2026-07-20", subscription_id="s0"),
        )
    )
    june = {
        (r["plan_tier"], column): str(r[f"{column}_mrr_amount"])
        for r in marts["mrr_bridge_monthly"]
        for column in ("opening", "transfer_in", "transfer_out", "expansion", "closing")
        if r["month_start"].month == 6
    }
    assert june == {
        ("basic", "opening"): "10.0000",
        ("basic", "transfer_in"): "0.0000",
        ("basic", "transfer_out"): "-10.0000",
        ("basic", "expansion"): "0.0000",
        ("basic", "closing"): "0.0000",
        ("premium", "opening"): "0.0000",
        ("premium", "transfer_in"): "10.0000",
        ("premium", "transfer_out"): "0.0000",
        ("premium", "expansion"): "5.0000",
        ("premium", "closing"): "15.0000",
    }
    assert months(marts, "churn_monthly", "transferred_in", plan_tier="premium")["2026-06"] == 1
    assert months(marts, "churn_monthly", "transferred_out", plan_tier="basic")["2026-06"] == 1


def test_of_two_equal_subscriptions_the_first_id_gives_the_plan() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-01", subscription_id="s1", plan_id="premium"),
            change("2026-05-01", subscription_id="s10", plan_id="basic"),
        )
    )
    assert {r["plan_tier"] for r in marts["mrr_bridge_monthly"]} == {"premium"}


def test_a_rate_alone_moves_nobody_and_the_next_state_judges_anew() -> None:
    rates = [
        told("exchange_rates", rate_date=day, currency="EUR", rate=rate)
        for day, rate in (("2026-05-01", "1.1"), ("2026-06-01", "0.9"))
    ]
    marts = marts_of(
        subscription_story(
            change("2026-05-01", currency="EUR", plan_id="premium"),
            change("2026-05-01", subscription_id="s2"),
            # asks to cancel: a new state, and nothing else about it is new
            change("2026-06-20", subscription_id="s2", cancel_requested_at="2026-06-20"),
            ended("2026-06-25", subscription_id="s2"),
            ended("2026-06-25"),
            exchange_rates=rates,
        )
    )
    out = amounts(marts, "mrr_bridge_monthly", "transfer_out_mrr_amount", plan_tier="premium")
    # 10 dollars and 10 euros, which were worth 11 and are now 9
    assert out == {"2026-06": "-19.0000"}
    assert amounts(marts, "mrr_bridge_monthly", "fx_mrr_amount", plan_tier="premium") == {
        "2026-06": "-2.0000"
    }
    assert amounts(marts, "mrr_bridge_monthly", "churn_mrr_amount", plan_tier="basic") == {
        "2026-06": "-19.0000"
    }


def test_nobody_churned_is_a_row_with_0() -> None:
    marts = marts_of(subscription_story(change("2026-09-03")), as_of=at("2026-11-01"))
    assert months(marts, "churn_monthly", "churned_subscribers") == {"2026-09": 0, "2026-10": 0}
