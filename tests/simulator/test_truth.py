"""What was planted comes back out of the files, read without the simulator's help."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from scipy import integrate, stats

from simulator import world
from simulator.survival import lifetime_law, survival, tilt_effect

from .conftest import Service

STANDARD_ERRORS = 3

# lifetimes by the contract's rules 1, 2, 5 and 6, as far as a clean service needs them
LIFETIMES = """
    create or replace table lifetimes as
    with ordered as (
        select *,
            lead(changed_at) over story as next_at,
            coalesce(lag(status) over story, '') as status_before,
            billing_period_unit || billing_period_count as period
        from subscription_changes
        window story as (
            partition by subscription_id order by changed_at, recorded_at, change_id
        )
    ), runs as (
        select *, max(
            case when status = 'past_due' and status_before <> 'past_due' then changed_at end
        ) over (partition by subscription_id order by changed_at, recorded_at, change_id) as due_at
        from ordered
    ), held as (
        select subscriber_id, status, plan_id, period, end_reason, changed_at as started_at,
            least(
                coalesce(next_at, timestamp '2026-01-01'),
                case when status = 'past_due' then due_at + interval 28 day
                    else timestamp '2026-01-01' end
            ) as ended_at
        from runs
        where (status in ('active', 'past_due') and amount_minor > 0) or status = 'paused'
    ), real as (
        select * from held where ended_at > started_at
    ), marked as (
        select *, max(ended_at) over (
            partition by subscriber_id order by started_at, ended_at
            rows between unbounded preceding and 1 preceding
        ) as held_until
        from real
    ), numbered as (
        select *, count(*) filter (
            held_until is null or started_at > held_until + interval 24 hour
        ) over (partition by subscriber_id order by started_at, ended_at) as lifetime_number
        from marked
    )
    select subscriber_id, lifetime_number,
        min(started_at) as started_at,
        case when max(ended_at) < timestamp '2026-01-01' then max(ended_at) end as ended_at,
        date_diff('day', min(started_at), max(ended_at)) as tenure_days,
        arg_min(period, started_at) as period,
        arg_min(plan_id, started_at) as plan_id
    from numbered
    group by subscriber_id, lifetime_number
"""


@pytest.fixture(scope="module")
def lived(large: Service) -> Iterator[Service]:
    large.database.execute(LIFETIMES)
    yield large
    large.database.execute("drop table lifetimes")


def kaplan_meier(service: Service, condition: str, days: int) -> tuple[float, float]:
    """Return survival beyond so many days and its Greenwood error."""
    rows = service.rows(f"""
        select tenure_days, count(*), count(ended_at)
        from lifetimes join subscribers using (subscriber_id)
        where {condition} group by 1 order by 1
    """)
    counts = [(int(str(day)), int(str(left)), int(str(ended))) for day, left, ended in rows]
    at_risk = sum(left for _, left, _ in counts)
    survival, variance = 1.0, 0.0
    for day, left, ended in counts:
        if day > days:
            break
        if ended:
            survival *= 1 - ended / at_risk
            variance += ended / (at_risk * (at_risk - ended))
        at_risk -= left
    return survival, survival * math.sqrt(variance)


def assert_survives(
    service: Service, condition: str, planted: dict[str, float], *, is_long: bool = True
) -> None:
    # between two renewals, so that calendar months of any length have been counted
    for months, days in ((12, 380), (24, 745)) if is_long else ((12, 380),):
        survival, error = kaplan_meier(service, condition, days)
        expected = planted[f"survival_{months}"]
        assert abs(survival - expected) < STANDARD_ERRORS * error, (condition, months, survival)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("renewals", [1, 12, 36])
def test_tilt_is_what_the_larger_of_two_draws_loses(number: int, renewals: int) -> None:
    law = lifetime_law(number)
    churn = stats.beta(law.alpha, law.beta)
    larger, _ = integrate.quad(
        lambda p: (1 - p) ** renewals * 2 * churn.cdf(p) * churn.pdf(p), 0, 1, limit=200
    )
    assert tilt_effect(law, renewals) == pytest.approx(larger - survival(law, renewals), abs=1e-6)


def test_tilts_leave_room_for_every_combination() -> None:
    tilts = (world.channel_tilts(), world.plan_tilts(), world.quality_tilts())
    assert sum(max(own) for own in tilts) <= 1
    assert sum(min(own) for own in tilts) >= -1


def test_first_lifetimes_survive_as_planted(lived: Service) -> None:
    planted = lived.truth.survival["lifetimes"]["first"]
    assert planted["survival_12"] == pytest.approx(0.45, abs=0.001)
    assert_survives(lived, "lifetime_number = 1 and period = 'month1'", planted)


def test_second_and_later_lifetimes_survive_as_planted(lived: Service) -> None:
    planted = lived.truth.survival["lifetimes"]
    assert planted["second"]["survival_12"] == pytest.approx(0.36, abs=0.001)
    assert planted["later"]["survival_12"] == pytest.approx(0.26, abs=0.001)
    gifted = "subscriber_id in (select subscriber_id from lifetimes where period = 'month3')"
    second = f"lifetime_number = 2 and period = 'month1' and not {gifted}"
    assert_survives(lived, second, planted["second"], is_long=False)
    later = f"lifetime_number > 2 and period = 'month1' and not {gifted}"
    assert_survives(lived, later, planted["later"], is_long=False)


def test_strata_survive_as_planted(lived: Service) -> None:
    strata = lived.truth.survival["first_lifetime_strata"]
    first = "lifetime_number = 1 and period = 'month1'"
    for channel, planted in strata["acquisition_channel"].items():
        assert_survives(lived, f"{first} and acquisition_channel = '{channel}'", planted)
    for tier, planted in strata["plan_tier"].items():
        assert_survives(lived, f"{first} and plan_id = 'plan_{tier}'", planted)


def test_yearly_plans_reach_the_same_curve_at_their_renewals(lived: Service) -> None:
    planted = lived.truth.survival["lifetimes"]["first"]
    yearly = "lifetime_number = 1 and period = 'year1'"
    # until a month's grace after the renewal, those whose card failed are still there
    assert kaplan_meier(lived, yearly, 360) == (1.0, 0.0)
    survival, error = kaplan_meier(lived, yearly, 366 + 29)
    assert abs(survival - planted["survival_12"]) < STANDARD_ERRORS * error


def assert_share(observed: float, planted: float, size: float) -> None:
    error = math.sqrt(planted * (1 - planted) / size)
    assert abs(observed - planted) < STANDARD_ERRORS * error, (observed, planted, size)


def test_card_charges_are_declined_as_planted(large: Service) -> None:
    charges = large.number("""
        select count(distinct invoice_id) from payments where method = 'card'
    """)
    declined = large.number("""
        with first as (
            select invoice_id, arg_min(status, attempted_at) as status
            from payments where method = 'card' group by 1
        ) select count(*) from first where status = 'failed'
    """)
    assert charges == large.truth.counts["card_charges"]
    assert declined == large.truth.counts["card_charges_declined"]
    assert_share(declined / charges, large.truth.rates["decline_rate"]["card"], charges)


def test_the_stated_share_is_recovered(large: Service) -> None:
    settled = """
        select arg_min(p.status, p.attempted_at) as first_status,
            max(p.status) = 'succeeded' as is_recovered,
            date_diff('minute', min(p.attempted_at), max(p.attempted_at)) as minutes
        from payments p join invoices i using (invoice_id)
        where i.issued_at < timestamp '2025-12-04' group by p.invoice_id
    """
    # a charge tried again within minutes was made at the checkout, and is not dunning
    is_declined = "first_status = 'failed' and minutes > 5"
    declined = large.number(f"select count(*) from ({settled}) where {is_declined}")
    recovered = large.number(
        f"select count(*) from ({settled}) where {is_declined} and is_recovered"
    )
    assert declined == large.truth.counts["declined_renewals_settled"]
    assert recovered == large.truth.counts["declined_renewals_recovered"]
    assert_share(recovered / declined, large.truth.rates["recovered_share"], declined)


def test_trials_convert_as_planted(large: Service) -> None:
    row = large.rows("""
        with stories as (
            select subscription_id, subscriber_id,
                bool_or(status = 'trialing') as is_trial,
                bool_or(status in ('active', 'past_due')) as is_paid,
                bool_or(end_reason = 'trial_expired') as is_lost
            from subscription_changes group by 1, 2
        )
        select count(*) filter (is_paid or is_lost), count(*) filter (is_paid)
        from stories where is_trial
    """)[0]
    over, converted = int(str(row[0])), int(str(row[1]))
    counts = large.truth.counts
    assert (over, converted) == (counts["trials_over"], counts["trials_converted"])
    assert_share(converted / over, large.truth.rates["trial_conversion"], over)


def test_viewing_fades_before_a_voluntary_end_and_not_before_an_involuntary_one(
    clean: Service,
) -> None:
    ratio = """
        with ends as (
            select subscriber_id, changed_at as ended_at from subscription_changes
            where end_reason = '{reason}' and billing_period_unit = 'month'
        )
        select
            count(*) filter (s.started_at >= e.ended_at - interval {last} day
                and s.started_at < e.ended_at - interval {gap} day)
            / count(*) filter (s.started_at >= e.ended_at - interval 120 day
                and s.started_at < e.ended_at - interval 90 day)
        from ends e join playback_sessions s using (subscriber_id)
        where s.started_at < e.ended_at
    """
    voluntary = clean.number(ratio.format(reason="cancelled", last=30, gap=0))
    # an `ended` row of a lost card comes up to ten days after access has gone
    involuntary = clean.number(ratio.format(reason="payment_failed", last=40, gap=10))
    assert voluntary < 0.9
    assert involuntary > voluntary + 0.3


def test_poor_playback_raises_churn_and_tickets(large: Service, clean: Service) -> None:
    strata = large.truth.survival["first_lifetime_strata"]["playback_quality"]
    assert strata["poor"]["survival_12"] < strata["good"]["survival_12"]
    corr = clean.number("""
        with seen as (
            select subscriber_id, avg(startup_ms) as startup from playback_sessions group by 1
        ), asked as (
            select subscriber_id, count(*) as tickets from support_tickets
            where topic = 'playback' group by 1
        ) select corr(startup, coalesce(tickets, 0)) from seen left join asked using (subscriber_id)
    """)
    assert corr > 0.1


def test_tastes_show_in_what_is_watched(clean: Service) -> None:
    # somebody's favourite genre has far more of the own plays than of everybody's
    concentration = clean.number("""
        with plays as (
            select subscriber_id, genre, count(*) as plays
            from playback_sessions join titles using (title_id) group by 1, 2
        ), shares as (
            select subscriber_id, max(plays) / sum(plays) as top from plays
            group by 1 having sum(plays) >= 40
        ) select avg(top) from shares
    """)
    everybody = clean.number("""
        with plays as (
            select genre, count(*) as plays
            from playback_sessions join titles using (title_id) group by 1
        ) select max(plays) / sum(plays) from plays
    """)
    assert concentration > 1.6 * everybody


def test_channels_are_ordered_by_value(large: Service) -> None:
    strata = large.truth.survival["first_lifetime_strata"]["acquisition_channel"]
    by_survival = sorted(strata, key=lambda name: -strata[name]["survival_12"])
    assert large.truth.channels_by_value == by_survival
    assert by_survival[0] == "referral"
    assert by_survival[-1] == "social"
