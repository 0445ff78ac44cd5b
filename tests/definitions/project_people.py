"""Subscribers month by month, and where each of them stands today."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal

from .intake import Row
from .local_time import TICK, month_of_date, months_between
from .money import ZERO
from .project_facts import Facts, Person, is_late, is_on_time
from .project_figures import months_later
from .reference import VALID_PLAY_SECONDS
from .timeline import Phase, Subscriber


def revenue_by_subscriber(facts: Facts) -> dict[tuple[str, date], dict[str, Decimal]]:
    """Return what each subscriber and month brought, by kind of money."""
    found: dict[tuple[str, date], dict[str, Decimal]] = defaultdict(
        lambda: defaultdict(lambda: ZERO)
    )
    for owner, month, kind, amount in facts.reference.money_movements():
        found[owner, month][kind] += amount
    return found


def fct_subscriber_months(facts: Facts) -> list[Row]:
    """Return a row for each subscriber and month from the first lifetime on."""
    failures = Counter(
        (
            facts.invoices[row["invoice_id"]]["subscriber_id"],
            facts.calendar.month_of(row["attempted_at"]),
        )
        for row in facts.accepted["payments"]
        if row["status"] == "failed"
    )
    tickets = Counter(
        (row["subscriber_id"], facts.calendar.month_of(row["opened_at"]))
        for row in facts.accepted["support_tickets"]
    )
    money = revenue_by_subscriber(facts)
    rows = []
    for subscriber in facts.reference.subscribers:
        for lifetime in subscriber.lifetimes[:1]:
            first = facts.calendar.month_of(lifetime.started_at)
            for month in facts.reference.months_from(first):
                key = subscriber.subscriber_id, month
                rows.append(
                    {
                        "subscriber_id": subscriber.subscriber_id,
                        "month_start": month,
                        "months_since_start": months_between(first, month),
                        **_levels(facts, subscriber, month),
                        **_viewing(facts, subscriber, month),
                        **{
                            f"{kind}_amount": money[key][kind]
                            for kind in ("recognised", "refunded", "uncollectible", "collected")
                        },
                        "failed_payments": failures[key],
                        "support_tickets": tickets[key],
                        "is_complete": facts.reference.is_complete(month),
                    }
                )
    return rows


def _levels(facts: Facts, subscriber: Subscriber, month: date) -> Row:
    begin, end = facts.begin_of(month), facts.end_of(month)
    opening, closing = subscriber.segment_at(begin - TICK), subscriber.segment_at(end - TICK)
    status = facts.status_before(subscriber, end)
    return {
        "lifetime_number": sum(x.started_at < end for x in subscriber.lifetimes),
        "opening_status": facts.status_before(subscriber, begin),
        "closing_status": status,
        "closing_plan_tier": closing.tier if closing and status != "churned" else None,
        "opening_mrr_amount": facts.reference.level_worth(opening, begin - TICK),
        "closing_mrr_amount": facts.reference.level_worth(closing, end - TICK),
    }


def _viewing(facts: Facts, subscriber: Subscriber, month: date) -> Row:
    days = [
        told
        for day, told in facts.viewing[subscriber.subscriber_id].items()
        if month_of_date(day) == month
    ]
    plays = [play for told in days for play in told.plays]
    return {
        "viewing_days": len(days),
        "plays": len(plays),
        "valid_plays": sum(play["watched_seconds"] >= VALID_PLAY_SECONDS for play in plays),
        "watched_seconds": sum(told.seen_seconds for told in days),
    }


def dim_subscribers(facts: Facts) -> list[Row]:
    """Return where everybody stands just before the horizon."""
    money = revenue_by_subscriber(facts)
    brought = Counter(person.referred_by for person in facts.people.values())
    paying = Counter(
        person.referred_by
        for person in facts.people.values()
        if facts.lifetimes_of(person.subscriber_id)
    )
    rows = []
    for name, person in facts.people.items():
        mine = [kinds for (owner, _), kinds in money.items() if owner == name]
        net = sum((kinds["recognised"] - kinds["refunded"] for kinds in mine), ZERO)
        sessions = [
            session for told in facts.viewing[name].values() for session, _ in told.sessions
        ]
        rows.append(
            {
                "subscriber_id": name,
                "signed_up_at": person.signed_up_at,
                "country_code": facts.reference.country_of(name),
                "acquisition_channel": facts.reference.channel_of(name),
                **_standing(facts, person),
                **_lifetimes(facts, person),
                "net_revenue_to_date_amount": net,
                "collected_to_date_amount": sum((kinds["collected"] for kinds in mine), ZERO),
                "last_seen_at": max((s["ended_at"] for s in sessions), default=None),
                "referred_subscribers": brought[name],
                "referred_payers": paying[name],
            }
        )
    return rows


def _standing(facts: Facts, person: Person) -> Row:
    last = facts.reference.as_of - TICK
    subscriber = facts.subscribers.get(person.subscriber_id)
    if subscriber is None:
        return {"status": "prospect", "plan_tier": None, "mrr_amount": ZERO}
    segment = subscriber.segment_at(last)
    states = [held.state for held in facts.held_states(subscriber, last)]
    open_states = [state for state in states if state.has_access]
    phase = Phase.OUT if segment is None else segment.phase
    tier = segment.tier if segment and subscriber.lifetimes else None
    if phase is Phase.PAYING:
        status = "past_due" if is_late(states) and not is_on_time(states) else "paying"
    elif phase is Phase.PAUSED:
        status = "paused"
    elif open_states:
        is_trial = any(state.status == "trialing" for state in states)
        status = "trialing" if is_trial else "complimentary"
        first = min(open_states, key=lambda state: state.subscription_id)
        tier = facts.reference.tiers[first.plan_id]
    else:
        status = "churned" if subscriber.lifetimes else "prospect"
    return {
        "status": status,
        "plan_tier": tier,
        "mrr_amount": facts.reference.level_worth(segment, last),
    }


def _lifetimes(facts: Facts, person: Person) -> Row:
    lifetimes = facts.lifetimes_of(person.subscriber_id)
    since = months_later(facts.reference.as_of, -24)
    returns = [
        found.is_resubscription
        for found in facts.cancellations
        if found.subscriber_id == person.subscriber_id
    ]
    last = lifetimes[-1] if lifetimes else None
    return {
        "lifetime_number": len(lifetimes) or None,
        "first_started_at": lifetimes[0].started_at if lifetimes else None,
        "lifetime_started_at": last.started_at if last else None,
        "lifetime_ended_at": last.ended_at if last else None,
        "tenure_days": facts.reference.tenure_days(last) if last else None,
        "cancellations_in_24_months": sum(
            x.end_type == "voluntary" and x.ended_at is not None and x.ended_at >= since
            for x in lifetimes
        ),
        "resubscriptions_within_12_months": sum(returns),
        "is_12_month_resubscriber": bool(returns) and returns[-1],
    }
