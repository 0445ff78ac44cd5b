"""Who comes back, who stays by where they came in, and where a month's subscribers are."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from .intake import Row
from .local_time import TICK, month_of_date, months_between
from .project_facts import Facts
from .project_figures import ratio
from .timeline import Subscriber


def win_back_monthly(facts: Facts) -> list[Row]:
    """Return how many of those who left in a month had begun again by the n-th after it."""
    leavers: dict[tuple[date, str], list[date | None]] = defaultdict(list)
    for subscriber, lifetime in facts.lifetimes():
        if lifetime.ended_at is not None:
            following = subscriber.lifetimes[lifetime.number :]
            left = facts.calendar.month_of(lifetime.ended_at), str(lifetime.end_type)
            back = facts.calendar.month_of(following[0].started_at) if following else None
            leavers[left].append(back)
    rows = []
    for (left_in, churn_type), backs in leavers.items():
        for month in facts.reference.months_from(left_in):
            won_back = sum(back is not None and back <= month for back in backs)
            rows.append(
                {
                    "month_start": left_in,
                    "churn_type": churn_type,
                    "months_since_churn": months_between(left_in, month),
                    "churned_subscribers": len(backs),
                    "won_back_subscribers": facts.once_over(month, won_back),
                    "win_back_rate": facts.once_over(month, ratio(won_back, len(backs))),
                }
            )
    return rows


def retention_cohorts_by_stratum(facts: Facts) -> list[Row]:
    """Return the cohorts by tier, country and channel of the first lifetime."""
    cohorts: dict[tuple[str, str, date], list[Subscriber]] = defaultdict(list)
    for subscriber, lifetime in facts.lifetimes():
        if lifetime.number == 1:
            month = facts.calendar.month_of(lifetime.started_at)
            group = facts.reference.group_of(subscriber.subscriber_id, lifetime.first_tier)
            for stratum, value in zip(("plan_tier", "country", "channel"), group, strict=True):
                cohorts[stratum, value, month].append(subscriber)
    rows = []
    for (stratum, value, cohort), members in cohorts.items():
        for month in facts.reference.months_from(cohort):
            last = facts.reference.month_end(month) - TICK
            retained = sum(any(x.holds_at(last) for x in m.lifetimes) for m in members)
            never_lapsed = sum(m.lifetimes[0].holds_at(last) for m in members)
            rows.append(
                {
                    "stratum": stratum,
                    "stratum_value": value,
                    "cohort_month": cohort,
                    "months_since_start": months_between(cohort, month),
                    "cohort_size": len(members),
                    "retained_subscribers": facts.once_over(month, retained),
                    "never_lapsed_subscribers": facts.once_over(month, never_lapsed),
                    "retention_rate": facts.once_over(month, ratio(retained, len(members))),
                }
            )
    return rows


def growth_accounting_monthly(facts: Facts) -> list[Row]:
    """Return what became of who was there as a month began, and where the others are from."""
    counts: dict[date, Counter[str]] = defaultdict(Counter)
    for subscriber in facts.reference.subscribers:
        for first in subscriber.lifetimes[:1]:
            before = ""
            for month in facts.reference.months_from(facts.calendar.month_of(first.started_at)):
                kind = _kind(facts, subscriber, month)
                counts[month][kind] += 1
                counts[month]["reawakened"] += kind == "retained" and before == "dormant"
                before = kind
    first_date = facts.first_viewing_date
    rows = []
    for month in facts.months:
        count = counts[month]
        kept = count["retained"] + count["dormant"]
        is_measured = facts.is_measured(month)
        had_measured = first_date is not None and month_of_date(first_date) < month
        rows.append(
            {
                "month_start": month,
                "opening_subscribers": kept + count["churned"],
                "new_subscribers": count["new"],
                "resurrected_subscribers": count["resurrected"],
                "retained_subscribers": count["retained"] if is_measured else None,
                "dormant_subscribers": count["dormant"] if is_measured else None,
                "reawakened_subscribers": count["reawakened"] if had_measured else None,
                "kept_subscribers": kept,
                "churned_subscribers": count["churned"],
                "closing_subscribers": kept + count["new"] + count["resurrected"],
                "is_complete": facts.reference.is_complete(month),
            }
        )
    return rows


def _kind(facts: Facts, subscriber: Subscriber, month: date) -> str:
    begin, end = facts.begin_of(month), facts.end_of(month)
    was_here = any(x.holds_at(begin - TICK) for x in subscriber.lifetimes)
    is_here = any(x.holds_at(end - TICK) for x in subscriber.lifetimes)
    if was_here and not is_here:
        return "churned"
    if was_here:
        days = facts.viewing[subscriber.subscriber_id]
        has_watched = any(month_of_date(day) == month for day in days)
        return "retained" if has_watched else "dormant"
    if is_here:
        is_first = facts.calendar.month_of(subscriber.lifetimes[0].started_at) == month
        return "new" if is_first else "resurrected"
    return "nowhere"
