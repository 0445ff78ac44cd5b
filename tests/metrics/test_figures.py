"""Metrics of hand-written marts: how months, tiers and channels add up, worked out by hand."""

import socket
from collections.abc import Callable

import pytest

from tests.metrics.conftest import Ask

Fill = Callable[[str, str], None]

# June is the second quarter's last month; July is open
BRIDGE = """
month_start,plan_tier,country_code,acquisition_channel,opening_mrr_amount,new_mrr_amount,reactivation_mrr_amount,expansion_mrr_amount,resume_mrr_amount,contraction_mrr_amount,churn_mrr_amount,pause_mrr_amount,fx_mrr_amount,closing_mrr_amount,is_complete
2026-05-01,basic,US,search,100,20,0,5,0,-5,-10,0,0,110,true
2026-05-01,premium,US,friend,50,10,0,0,0,0,0,0,0,60,true
2026-06-01,basic,US,search,110,10,5,0,10,-10,-5,-15,-1,104,true
2026-06-01,premium,US,friend,60,0,0,0,0,0,-20,0,0,40,true
2026-07-01,basic,US,search,104,30,0,0,0,0,-90,0,0,44,false
2026-07-01,premium,US,friend,40,0,0,0,0,0,0,0,0,40,false
"""

CHURN = """
month_start,plan_tier,country_code,acquisition_channel,opening_subscribers,new_subscribers,reactivated_subscribers,churned_subscribers,churned_from_opening,voluntary_churned_subscribers,involuntary_churned_subscribers,closing_subscribers,is_complete
2026-05-01,basic,US,search,100,20,0,12,10,9,2,108,true
2026-05-01,premium,BR,friend,0,50,0,1,0,1,0,49,true
2026-06-01,basic,US,search,108,0,2,8,8,2,6,102,true
2026-06-01,premium,BR,friend,49,0,0,2,2,2,0,47,true
2026-07-01,basic,US,search,102,0,0,80,80,80,0,22,false
2026-07-01,premium,BR,friend,47,0,0,0,0,0,0,47,false
"""

QUARTER = "metric_time__quarter"
MONTH = "metric_time__month"
SECOND, THIRD = "2026-04-01", "2026-07-01"


def test_a_level_of_a_quarter_is_that_of_one_month_and_never_a_sum(fill: Fill, asked: Ask) -> None:
    fill("mrr_bridge_monthly", BRIDGE)
    assert asked(["opening_mrr", "closing_mrr"], QUARTER) == [
        (SECOND, 100 + 50, 104 + 40),
        (THIRD, 104 + 40, 44 + 40),
    ]
    assert asked(["opening_mrr", "closing_mrr"]) == [(100 + 50, 44 + 40)]


def test_a_level_is_asked_for_by_tier(fill: Fill, asked: Ask) -> None:
    fill("mrr_bridge_monthly", BRIDGE)
    assert asked("closing_mrr", QUARTER, "plan_tier") == [
        (SECOND, "basic", 104),
        (SECOND, "premium", 40),
        (THIRD, "basic", 44),
        (THIRD, "premium", 40),
    ]


def test_movements_of_a_quarter_add_up(fill: Fill, asked: Ask) -> None:
    fill("mrr_bridge_monthly", BRIDGE)
    names = ["new_mrr", "reactivation_mrr", "expansion_mrr", "resume_mrr", "contraction_mrr"]
    assert asked([*names, "churn_mrr", "pause_mrr", "fx_mrr"], QUARTER) == [
        (SECOND, 20 + 10 + 10, 5, 5, 10, -5 - 10, -10 - 5 - 20, -15, -1),
        (THIRD, 30, 0, 0, 0, 0, -90, 0, 0),
    ]


def test_net_new_mrr_is_what_moved_but_for_rates(fill: Fill, asked: Ask) -> None:
    """May: 20 + 10 + 5 - 5 - 10 = 20; June: 10 + 5 + 10 - 10 - 5 - 15 - 20 = -25."""
    fill("mrr_bridge_monthly", BRIDGE)
    assert asked("net_new_mrr", QUARTER) == [(SECOND, 20 - 25), (THIRD, 30 - 90)]


def test_mrr_retention_is_summed_before_it_is_divided(fill: Fill, asked: Ask) -> None:
    """Openings 150 and 170; losses 15 and 50, gains in running lifetimes 5 and 10."""
    fill("mrr_bridge_monthly", BRIDGE)
    assert asked(["gross_mrr_retention", "net_mrr_retention"], QUARTER) == [
        (SECOND, (135 + 120) / 320, (140 + 130) / 320)
    ]


def test_the_churn_rate_of_a_quarter_is_a_sum_over_a_sum(fill: Fill, asked: Ask) -> None:
    """And of the open July there is none, though 80 have left so far."""
    fill("churn_monthly", CHURN)
    assert asked("churn_rate", QUARTER) == [(SECOND, (10 + 0 + 8 + 2) / (100 + 0 + 108 + 49))]
    assert asked("churn_rate", MONTH) == [
        ("2026-05-01", 10 / 100),
        ("2026-06-01", 10 / 157),
    ]


def test_churn_by_tier_country_and_channel(fill: Fill, asked: Ask) -> None:
    """Nobody was there of premium in May: null by month, and June's alone over both."""
    fill("churn_monthly", CHURN)
    assert asked("churn_rate", MONTH, "plan_tier") == [
        ("2026-05-01", "basic", 10 / 100),
        ("2026-05-01", "premium", None),
        ("2026-06-01", "basic", 8 / 108),
        ("2026-06-01", "premium", 2 / 49),
    ]
    for by, basic, premium in [
        ("plan_tier", "basic", "premium"),
        ("country_code", "US", "BR"),
        ("acquisition_channel", "search", "friend"),
    ]:
        assert sorted(asked("churn_rate", by)) == sorted([(basic, 18 / 208), (premium, 2 / 49)])


def test_a_condition_leaves_rows_out(fill: Fill, asked: Ask) -> None:
    fill("churn_monthly", CHURN)
    basic = ["{{ Entity('plan_tier') }} = 'basic'"]
    assert asked("churn_rate", where=basic) == [(18 / 208,)]


def test_types_of_churn_are_of_all_who_left(fill: Fill, asked: Ask) -> None:
    fill("churn_monthly", CHURN)
    assert asked(["voluntary_churn_rate", "involuntary_churn_rate"], QUARTER) == [
        (SECOND, (9 + 1 + 2 + 2) / 257, (2 + 6) / 257)
    ]


def test_counts_of_an_open_month_are_those_so_far(fill: Fill, asked: Ask) -> None:
    fill("churn_monthly", CHURN)
    counts = ["new_subscribers", "reactivated_subscribers", "churned_subscribers"]
    levels = ["opening_subscribers", "closing_subscribers"]
    assert asked([*counts, "churned_from_opening", *levels], QUARTER) == [
        (SECOND, 70, 2, 23, 20, 100, 102 + 47),
        (THIRD, 0, 0, 80, 80, 149, 22 + 47),
    ]


def test_figures_of_two_marts_stand_side_by_side(fill: Fill, asked: Ask) -> None:
    fill("churn_monthly", CHURN)
    fill("mrr_bridge_monthly", BRIDGE)
    assert asked(["churn_rate", "closing_mrr"], "plan_tier") == [
        ("basic", 18 / 208, 44),
        ("premium", 2 / 49, 40),
    ]


def test_revenue_per_subscriber_and_month(fill: Fill, asked: Ask) -> None:
    """Of a quarter: 995 + 1245 by 80 + 120 subscribers, whose mean is 100."""
    fill(
        "revenue_monthly",
        """
month_start,recognised_amount,refunded_amount,net_revenue_amount,uncollectible_amount,collected_amount,average_paying_subscribers,average_subscribers,is_complete
2026-05-01,1000,5,995,3,1200,80,100,true
2026-06-01,1250,5,1245,0,1300,120,124,true
2026-07-01,10,0,10,0,700,130,140,false
""",
    )
    assert asked(["arppu", "arpu", "average_paying_subscribers"], QUARTER) == [
        (SECOND, 2240 / 200, 2240 / 224, 100)
    ]
    revenue = ["recognised_revenue", "refunded_revenue", "net_revenue", "uncollectible_revenue"]
    assert asked([*revenue, "collected"], QUARTER) == [
        (SECOND, 2250, 10, 2240, 3, 2500),
        (THIRD, 10, 0, 10, 0, 700),
    ]


def test_a_cohort_too_young_is_in_neither_part_of_retention(fill: Fill, asked: Ask) -> None:
    """May's cohort is known at month 1 and 3, June's at month 1 alone."""
    fill(
        "retention_cohorts",
        """
cohort_month,months_since_start,cohort_size,retained_subscribers
2026-05-01,0,200,195
2026-05-01,1,200,180
2026-05-01,3,200,150
2026-06-01,1,100,84
2026-06-01,3,100,
""",
    )
    assert asked(["retention_rate_month_1", "retention_rate_month_3"], QUARTER) == [
        (SECOND, 264 / 300, 150 / 200)
    ]


def test_win_backs_of_all_types(fill: Fill, asked: Ask) -> None:
    fill(
        "win_back_monthly",
        """
month_start,churn_type,months_since_churn,churned_subscribers,won_back_subscribers
2026-05-01,voluntary,2,30,9
2026-05-01,voluntary,3,30,4
2026-05-01,involuntary,3,10,1
2026-06-01,voluntary,3,10,
""",
    )
    assert asked("win_back_rate_month_3", QUARTER) == [(SECOND, 5 / 40)]
    assert asked("win_back_rate_month_3", "win_back_cell__churn_type") == [
        ("involuntary", 1 / 10),
        ("voluntary", 4 / 30),
    ]


def test_cost_is_set_against_what_was_paid_for(fill: Fill, asked: Ask) -> None:
    """Television brought nobody for 600; friends came for nothing; June's radio has no forecast.

    July is open: most of its newcomers are still to come, and so is half of what they cost.
    """
    fill(
        "clv_cohorts",
        """
cohort_month,acquisition_channel,cohort_size,acquisition_cost_amount,clv_amount,is_complete
2026-05-01,search,30,900,3000,true
2026-05-01,tv,0,600,0,true
2026-05-01,friend,20,0,900,true
2026-06-01,radio,10,300,,true
2026-07-01,search,1,500,10,false
""",
    )
    names = ["customer_acquisition_cost", "clv_per_subscriber", "ltv_to_cac"]
    assert asked(names, QUARTER) == [(SECOND, 1800 / 40, 3900 / 50, 3000 / 1500)]
    assert asked("customer_acquisition_cost", "acquisition_channel") == [
        ("radio", 30),
        ("search", 30),
        ("tv", None),
    ]


def test_viewing_of_a_quarter_counts_nobody_twice_by_tier(fill: Fill, asked: Ask) -> None:
    """April was before the first play: 40 paid, and nobody measured."""
    fill(
        "engagement_monthly",
        """
month_start,stratum,stratum_value,elapsed_days,active_subscriber_days,monthly_active_subscribers,mean_daily_active_subscribers,paid_watched_seconds,average_paying_subscribers,is_complete
2026-04-01,overall,all,30,,,,,40,true
2026-05-01,overall,all,31,620,80,20,3600000,100,true
2026-05-01,plan_tier,basic,31,620,80,20,3600000,100,true
2026-06-01,overall,all,30,900,90,30,1800000,150,true
2026-07-01,overall,all,2,80,60,40,3600,150,false
""",
    )
    names = ["daily_active_subscribers", "monthly_active_subscribers", "stickiness"]
    assert asked([*names, "hours_per_paying_subscriber"], QUARTER) == [
        (SECOND, 1520 / 61, 85, 50 / 170, 1500 / 250)
    ]


def test_playback_over_devices(fill: Fill, asked: Ask) -> None:
    """The console reports no buffer: it is in the failures and not in the stalls."""
    fill(
        "experience_monthly",
        """
month_start,device_type,plays,startup_failures,error_plays,timed_starts,mean_startup_ms,rebuffer_seconds,buffer_watched_seconds,is_complete
2026-05-01,tv,400,6,4,300,900,36,7200,true
2026-05-01,web,200,9,8,100,1700,84,4800,true
2026-05-01,console,100,0,0,0,,,,true
2026-07-01,tv,10,10,0,0,,,,false
""",
    )
    names = ["startup_failure_rate", "playback_error_rate", "mean_startup_time", "rebuffer_ratio"]
    assert asked(names, MONTH) == [("2026-05-01", 15 / 700, 12 / 700, 1100, 120 / 12000)]
    assert asked("startup_failure_rate", "experience_month__device_type") == [
        ("console", 0),
        ("tv", 6 / 400),
        ("web", 9 / 200),
    ]


def test_what_subscribers_say(fill: Fill, asked: Ask) -> None:
    """Tickets began in June: May's subscribers are not in their denominator."""
    fill(
        "feedback_monthly",
        """
month_start,promoter_responses,passive_responses,detractor_responses,satisfied_responses,unsatisfied_responses,opened_tickets,average_paying_subscribers,is_complete
2026-05-01,5,3,2,45,15,,100,true
2026-06-01,1,0,9,30,10,6,120,true
2026-07-01,9,0,0,9,0,1,120,false
""",
    )
    names = ["net_promoter_score", "customer_satisfaction", "tickets_per_thousand"]
    assert asked(names, QUARTER) == [(SECOND, 100 * (6 - 11) / 20, 75 / 100, 50)]


def test_a_month_with_a_pending_invoice_has_no_recovery_rate(fill: Fill, asked: Ask) -> None:
    fill(
        "dunning_monthly",
        """
month_start,was_past_due,failed_invoices,recovered_invoices,lost_invoices,pending_invoices,is_complete
2026-04-01,true,20,13,7,0,true
2026-04-01,false,50,50,0,0,true
2026-05-01,true,30,20,10,0,true
2026-06-01,true,10,9,0,1,true
""",
    )
    assert asked("dunning_recovery_rate", QUARTER) == [(SECOND, 33 / 50)]


def test_stages_of_the_funnel_are_kept_apart(fill: Fill, asked: Ask) -> None:
    fill(
        "lifecycle_funnel",
        """
month_start,stage,numerator,denominator,is_complete
2026-05-01,reach,,100,true
2026-06-01,reach,15,100,true
2026-05-01,acquisition,25,125,true
2026-05-01,conversion,18,28,true
2026-06-01,conversion,10,12,true
2026-07-01,conversion,1,10,false
2026-05-01,loyalty,60,150,true
2026-05-01,advocacy,4,40,true
""",
    )
    names = ["contacted_rate", "acquisition_rate", "trial_conversion_rate"]
    assert asked([*names, "loyal_rate", "referral_rate"], QUARTER) == [
        (SECOND, 15 / 100, 25 / 125, 28 / 40, 60 / 150, 4 / 40)
    ]


def test_an_empty_service_has_no_figure(asked: Ask) -> None:
    assert asked(["churn_rate", "arppu", "closing_mrr"], QUARTER) == []


def test_nobody_is_called(fill: Fill, asked: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fill("churn_monthly", CHURN)
    assert len(asked("churn_rate", MONTH)) == 2
