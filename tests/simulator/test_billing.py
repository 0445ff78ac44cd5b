"""Bills, states and rates hang together, as those of a real service do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import simulate
from simulator.arrays import add_months, boundaries_before, divide_rounded

from .conftest import Service, open_service

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NONE_OF = {
    "an invoice is the sum of its lines": """
        select i.invoice_id from invoices i left join invoice_lines l using (invoice_id)
        group by i.invoice_id, i.total_minor, i.tax_minor
        having i.total_minor is distinct from sum(l.amount_minor + l.tax_minor)
            or i.tax_minor is distinct from sum(l.tax_minor)
    """,
    "a paid invoice is paid once, in full, and no other is": """
        select i.invoice_id from invoices i left join payments p
            on p.invoice_id = i.invoice_id and p.status = 'succeeded'
        group by i.invoice_id, i.status, i.total_minor
        having (i.status = 'paid') <> (count(p.payment_id) = 1)
            or (i.status = 'paid' and sum(p.amount_minor) <> i.total_minor)
    """,
    "no total is below nothing": "select 1 from invoices where total_minor <= 0",
    "a failure has a code, and a success has none": """
        select 1 from payments where (status = 'failed') <> (failure_code is not null)
    """,
    "what goes back is never more than what came": """
        select 1 from refunds r join payments p using (payment_id)
        group by r.payment_id, p.amount_minor, p.status
        having sum(case when r.kind = 'chargeback_reversal' then -1 else 1 end * r.amount_minor)
            > p.amount_minor or p.status <> 'succeeded'
    """,
    "a reversal follows its chargeback": """
        select 1 from refunds r where kind = 'chargeback_reversal' and not exists (
            select 1 from refunds c where c.payment_id = r.payment_id
                and c.kind = 'chargeback' and c.refunded_at < r.refunded_at
        )
    """,
    "no two states of a subscription begin at once": """
        select 1 from subscription_changes group by subscription_id, changed_at having count(*) > 1
    """,
    "nothing comes after the end of a subscription": """
        select 1 from subscription_changes group by subscription_id
        having max(changed_at) filter (status = 'ended') < max(changed_at)
    """,
    "an end has a reason, and nothing else has": """
        select 1 from subscription_changes where (status = 'ended') <> (end_reason is not null)
    """,
    "a lost card is past due for 28 days before its end": """
        select 1 from subscription_changes e
        where e.end_reason = 'payment_failed' and e.changed_at <= (
            select min(p.changed_at) + interval 28 day from subscription_changes p
            where p.subscription_id = e.subscription_id and p.status = 'past_due'
                and p.changed_at > (
                    select coalesce(max(a.changed_at), timestamp '1970-01-01')
                    from subscription_changes a
                    where a.subscription_id = e.subscription_id
                        and a.status not in ('past_due', 'ended')
                )
        )
    """,
    "months of a subscription follow without a gap or overlap, pauses apart": """
        select 1 from (
            select i.subscription_id, l.period_end_at, lead(l.period_start_at) over (
                partition by i.subscription_id order by l.period_start_at
            ) as next_at
            from invoice_lines l join invoices i using (invoice_id)
            where l.kind = 'subscription' and i.status not in ('void', 'draft')
        )
        where next_at < period_end_at or (next_at > period_end_at and subscription_id not in (
            select subscription_id from subscription_changes where status = 'paused'
        ))
    """,
    "every month of use in another currency has a rate, even in a time zone behind": """
        with used as (
            select distinct currency, cast(date_trunc('month', changed_at) as date) as month_start
            from subscription_changes where currency <> 'USD'
        )
        select 1 from used u where not exists (
            select 1 from exchange_rates r where r.currency = u.currency
                and r.rate_date between u.month_start - 7 and u.month_start
        ) or not exists (
            select 1 from exchange_rates r where r.currency = u.currency
                and r.rate_date between u.month_start - interval 1 month - interval 7 day
                    and u.month_start - interval 1 month
        )
    """,
    "a rate is on record only when its day has begun everywhere": """
        select 1 from exchange_rates where recorded_at < rate_date + interval 12 hour
    """,
    "nobody watches without access or before a release": """
        select 1 from playback_sessions s join titles t using (title_id)
        where t.released_on > s.started_at
    """,
    "nobody is referred by a later sign-up": """
        select 1 from subscribers s join subscribers r
            on s.referred_by_subscriber_id = r.subscriber_id
        where r.signed_up_at > s.signed_up_at
    """,
    "nothing of the forgotten comes after their request": """
        select 1 from erasure_requests e join (
            select subscriber_id, changed_at as at from subscription_changes
            union all select subscriber_id, ended_at from playback_sessions
            union all select subscriber_id, opened_at from support_tickets
            union all select subscriber_id, responded_at from survey_responses
            union all select subscriber_id, sent_at from campaign_touches
            union all select subscriber_id, issued_at from invoices
        ) r using (subscriber_id) where r.at >= e.requested_at
    """,
}


@pytest.mark.parametrize("fact", NONE_OF)
def test_consistency(clean: Service, fact: str) -> None:
    assert clean.rows(NONE_OF[fact]) == []


def test_everything_planned_occurs(large: Service, clean: Service) -> None:
    counts = large.truth.counts
    assert all(count > 0 for name, count in counts.items() if name != "plays")
    assert clean.truth.counts["plays"] == clean.number("select count(*) from playback_sessions")
    for table, column, expected in (
        ("subscription_changes", "status", 5),
        ("subscription_changes", "end_reason", 6),
        ("subscription_changes", "currency", 3),
        ("invoices", "status", 5),
        ("invoice_lines", "kind", 4),
        ("invoice_lines", "promotion_code", 4),
        ("payments", "method", 6),
        ("refunds", "kind", 3),
        ("campaign_touches", "purpose", 6),
        ("subscribers", "acquisition_channel", 6),
    ):
        found = large.number(f"select count(distinct {column}) from {table}")
        assert found == expected, (table, column)


def test_a_switch_within_the_hour_is_two_subscriptions_forty_minutes_apart(large: Service) -> None:
    switches = large.number("""
        select count(*) from subscription_changes e join subscription_changes s
            on s.subscriber_id = e.subscriber_id and s.subscription_id <> e.subscription_id
                and s.changed_at = e.changed_at + interval 40 minute
        where e.end_reason = 'cancelled' and s.status = 'active'
    """)
    assert switches >= large.truth.counts["subscription_switches"] > 0


def test_plays_follow_the_volume_asked_for(tmp_path: Path) -> None:
    truth = simulate(subscribers=120, months=6, seed=4, out=tmp_path / "raw", plays_per_month=170)
    service = open_service(tmp_path / "raw", truth)
    months = service.number("""
        select sum(date_diff('second', changed_at, next_at)) / 86400.0 / 30.4 from (
            select status, changed_at, coalesce(
                lead(changed_at) over (partition by subscription_id order by changed_at),
                timestamp '2026-01-01'
            ) as next_at
            from subscription_changes
        ) where status in ('active', 'trialing')
    """)
    assert 0.7 * 170 < truth.counts["plays"] / months < 1.3 * 170


@given(
    # the database adds months to timestamps without a zone
    start=st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),  # noqa: DTZ001
    months=st.integers(min_value=0, max_value=400),
)
def test_months_are_added_as_the_calendar_has_them(start: datetime, months: int) -> None:
    instant = (start.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    query = "select ?::timestamp + to_months(?)"
    expected = duckdb.execute(query, [start, months]).fetchall()[0][0]
    added = add_months(np.array([instant]), np.array([months]))[0]
    assert EPOCH.replace(tzinfo=None) + timedelta(microseconds=int(added)) == expected


def test_a_run_from_the_31st_has_no_gap() -> None:
    start = np.array([(datetime(2025, 1, 31, 10, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)])
    days = [
        (EPOCH + timedelta(microseconds=int(add_months(start, np.array([month]))[0]))).strftime(
            "%m-%d"
        )
        for month in range(4)
    ]
    assert days == ["01-31", "02-28", "03-31", "04-30"]


def test_boundaries_before_an_end_count_the_first_and_leave_out_the_end() -> None:
    def at(*moment: int) -> int:
        return (datetime(*moment, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # type: ignore[misc, arg-type]

    starts = np.array([at(2025, 1, 1), at(2025, 1, 31), at(2025, 4, 1), at(2025, 5, 1)])
    assert boundaries_before(starts, at(2025, 4, 1)).tolist() == [3, 3, 0, 0]


def test_rounding_is_half_away_from_zero() -> None:
    values = np.array([25, -25, 24, 26, 0])
    assert divide_rounded(values, 10).tolist() == [3, -3, 2, 3, 0]
