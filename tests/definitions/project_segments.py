"""Everybody's segments at the end of each month; the numbers are those of docs/definitions.md."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import ceil

from .intake import Row
from .local_time import TICK, next_month, previous_month
from .money import ZERO
from .project_facts import Facts, Person, is_late, is_on_time
from .project_figures import DAY
from .project_people import revenue_by_subscriber
from .tables import PROJECT

FOUR_WEEKS = 28 * DAY

Money = dict[date, dict[str, Decimal]]


@dataclass(frozen=True)
class Features:
    """What is known of a subscriber just before the end of a month."""

    subscriber_id: str
    status: str
    lifetime_number: int
    tenure_days: int
    is_late: bool
    is_on_time: bool
    is_trialing: bool
    is_cancel_requested: bool
    is_measured: bool
    viewing_days: int
    earlier_viewing_days: int
    days_since_last_view: int | None
    profiles: int
    failed_invoices: int
    nps_score: int | None
    referred_payers: int
    value: Decimal
    collected: Decimal
    genre_seconds: tuple[int, ...]
    has_churned_next_month: bool | None

    @property
    def is_in_lifetime(self) -> bool:
        """Return whether the subscriber pays or pauses."""
        return self.status in ("paying", "paused")


def segment_history(facts: Facts) -> list[Row]:
    """Return the segments of everybody and each month since the sign-up."""
    money: dict[str, Money] = defaultdict(dict)
    for (owner, month), kinds in revenue_by_subscriber(facts).items():
        money[owner][month] = kinds
    months: dict[date, list[Features]] = defaultdict(list)
    for name, person in facts.people.items():
        subscriber = facts.subscribers.get(name)
        starts = [person.signed_up_at, *(subscriber.instants[:1] if subscriber else [])]
        for month in facts.reference.months_from(facts.calendar.month_of(min(starts))):
            months[month].append(_features(facts, person, month, money[name]))
    return [
        {
            "month_start": month,
            "subscriber_id": one.subscriber_id,
            **_segments(one, everybody),
            "is_in_lifetime": one.is_in_lifetime,
            "has_churned_next_month": one.has_churned_next_month,
            "is_complete": facts.reference.is_complete(month),
        }
        for month, everybody in months.items()
        for one in everybody
    ]


def _features(facts: Facts, person: Person, month: date, money: Money) -> Features:
    name = person.subscriber_id
    until = facts.until_date(month)
    days = facts.viewing[name]
    seen = [day for day in days if day < until]
    recent = facts.viewing_between(name, until - FOUR_WEEKS, until)
    earlier = facts.viewing_between(name, until - 2 * FOUR_WEEKS, until - FOUR_WEEKS)
    plays = [play for told in recent for play in told.plays]
    quarter = facts.viewing_between(name, previous_month(previous_month(month)), until)
    first = facts.first_viewing_date
    so_far = [kinds for found, kinds in money.items() if found <= month]
    return Features(
        subscriber_id=name,
        **_standing(facts, name, month),
        is_measured=first is not None and first < until,
        viewing_days=len(recent),
        earlier_viewing_days=len(earlier),
        days_since_last_view=(until - max(seen)).days - 1 if seen else None,
        profiles=len({play["profile_id"] for play in plays} - {None}),
        failed_invoices=_failed_invoices(facts, name, until),
        nps_score=_nps_score(facts, name, until),
        referred_payers=_referred_payers(facts, name, month),
        value=sum((kinds["recognised"] - kinds["refunded"] for kinds in so_far), ZERO),
        collected=sum((kinds["collected"] for kinds in so_far), ZERO),
        genre_seconds=tuple(facts.genre_seconds(quarter).values()),
        has_churned_next_month=_has_churned(facts, name, month),
    )


def _standing(facts: Facts, name: str, month: date) -> Row:
    end = facts.end_of(month)
    subscriber = facts.subscribers.get(name)
    held = facts.held_states(subscriber, end - TICK) if subscriber else []
    states = [found.state for found in held]
    requests = [found.cancel_requested_at for found in held if found.state.is_paying]
    begun = [lifetime for lifetime in facts.lifetimes_of(name) if lifetime.started_at < end]
    tenure = timedelta(0)
    if begun:
        last = begun[-1]
        stop = end if last.ended_at is None else min(last.ended_at, end)
        tenure = facts.calendar.date_of(stop) - facts.calendar.date_of(last.started_at)
    return {
        "status": facts.status_before(subscriber, end) if subscriber else "never_paid",
        "lifetime_number": len(begun),
        "tenure_days": tenure.days,
        "is_late": is_late(states),
        "is_on_time": is_on_time(states),
        "is_trialing": any(state.status == "trialing" for state in states),
        "is_cancel_requested": bool(requests)
        and all(request is not None and request < end for request in requests),
    }


def _failed_invoices(facts: Facts, name: str, until: date) -> int:
    since = until - 90 * DAY
    return len(
        {
            row["invoice_id"]
            for row in facts.accepted["payments"]
            if row["status"] == "failed"
            and facts.invoices[row["invoice_id"]]["subscriber_id"] == name
            and since <= facts.calendar.date_of(row["attempted_at"]) < until
        }
    )


def _nps_score(facts: Facts, name: str, until: date) -> int | None:
    answers = [
        (row["responded_at"], row["response_id"], row["score"])
        for row in facts.accepted["survey_responses"]
        if row["subscriber_id"] == name
        and row["kind"] == "nps"
        and 0 <= row["score"] <= 10
        and until - 365 * DAY <= facts.calendar.date_of(row["responded_at"]) < until
    ]
    return int(max(answers)[2]) if answers else None


def _referred_payers(facts: Facts, name: str, month: date) -> int:
    return sum(
        person.referred_by == name
        and any(
            facts.calendar.month_of(lifetime.started_at) <= month
            for lifetime in facts.lifetimes_of(person.subscriber_id)
        )
        for person in facts.people.values()
    )


def _has_churned(facts: Facts, name: str, month: date) -> bool | None:
    end, following = facts.end_of(month), next_month(month)
    there = [x for x in facts.lifetimes_of(name) if x.holds_at(end - TICK)]
    if not there or not facts.reference.is_complete(following):
        return None
    ended_at = there[0].ended_at
    return ended_at is not None and facts.calendar.month_of(ended_at) == following


def _segments(one: Features, everybody: list[Features]) -> Row:
    scored = [other for other in everybody if other.is_in_lifetime]
    scores = [
        _score(one, scored, goodness) if one.is_in_lifetime else None
        for goodness in (_lateness, lambda x: x.viewing_days, lambda x: x.value)
    ]
    recency, frequency, monetary = scores
    segment = "not_scored"
    if recency is not None and frequency is not None and monetary is not None:
        # a mean of 3.5 is nearer to what the better of the two says
        segment = _rfm_segments()[recency, -(-(frequency + monetary) // 2)]
    return {
        "lifecycle_stage": _stage(one),
        "engagement_tier": _band(
            one.viewing_days, [(12, "heavy"), (4, "regular"), (1, "light")], "inactive"
        ),
        "rfm_segment": segment,
        "value_tier": _value_tier(one, everybody),
        "payment_behaviour": _payment_behaviour(one),
        "taste": _taste(one),
        "household": _band(one.profiles, [(3, "family"), (2, "couple"), (1, "single")], "none"),
        "recency_score": recency,
        "frequency_score": frequency,
        "monetary_score": monetary,
    }


def _lateness(one: Features) -> Decimal:
    days = one.days_since_last_view
    return Decimal("-Infinity") if days is None else Decimal(-days)


def _score(
    one: Features, scored: list[Features], goodness: Callable[[Features], Decimal | int]
) -> int:
    """Return 5 to 1 by the share of those scored that is at least as good."""
    share = Fraction(sum(goodness(x) >= goodness(one) for x in scored), len(scored))
    return 6 - ceil(share * 5)


@cache
def _rfm_segments() -> dict[tuple[int, int], str]:
    with (PROJECT / "seeds" / "rfm_segments.csv").open(encoding="utf-8") as seed:
        return {
            (int(row["recency_score"]), int(row["frequency_monetary_score"])): row["rfm_segment"]
            for row in csv.DictReader(seed)
        }


def _band(value: Fraction | int, bounds: Sequence[tuple[Fraction | int, str]], below: str) -> str:
    return next((name for least, name in bounds if value >= least), below)


def _value_tier(one: Features, everybody: list[Features]) -> str:
    if one.value <= 0:
        return "none"
    brought = [other for other in everybody if other.value > 0]
    share = Fraction(sum(other.value >= one.value for other in brought), len(brought))
    return "high" if share <= Fraction(1, 5) else "medium" if share <= Fraction(1, 2) else "low"


def _payment_behaviour(one: Features) -> str:
    if one.is_late:
        return "past_due"
    paid = "punctual" if one.collected > 0 else "never_charged"
    return _band(one.failed_invoices, [(2, "repeated_failures"), (1, "occasional_failure")], paid)


def _taste(one: Features) -> str:
    total = sum(one.genre_seconds)
    if total < 3600:
        return "unknown"
    concentration = Fraction(sum(seconds**2 for seconds in one.genre_seconds), total**2)
    bounds = [(Fraction(1, 2), "specialist"), (Fraction(1, 4), "focused")]
    return _band(concentration, bounds, "eclectic")


def _stage(one: Features) -> str:
    """Return the first stage that holds."""
    if one.status != "paying":
        if one.status == "paused":
            return "paused"
        out = {"churned": "churned", "never_paid": "prospect"}[one.status]
        return "trial" if one.is_trialing else out
    has_faded = one.earlier_viewing_days >= 4 and one.viewing_days * 2 <= one.earlier_viewing_days
    recommends = one.nps_score is not None and one.nps_score >= 9
    stages = {
        "past_due": one.is_late and not one.is_on_time,
        "asked": one.is_cancel_requested,
        "new": one.lifetime_number == 1 and one.tenure_days < 30,
        "won_back": one.lifetime_number > 1 and one.tenure_days < 90,
        "dormant": one.viewing_days == 0 and one.is_measured,
        "at_risk": has_faded,
        "advocate": recommends or one.referred_payers >= 1,
        "loyal": one.tenure_days >= 365 and one.viewing_days >= 4,
        "engaged": True,
    }
    stage = next(name for name, holds in stages.items() if holds)
    return "at_risk" if stage == "asked" else stage
