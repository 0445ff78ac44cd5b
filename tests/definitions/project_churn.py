"""The churn rates of others (docs/churn-rates.md), and what leavers did before, beside stayers."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from .intake import Row
from .local_time import TICK, next_month
from .money import ZERO
from .project_facts import STARTUP_FAILURE, Facts, tells_of_its_buffer
from .project_figures import Number, ratio

KKBOX_WAIT = timedelta(days=30)

WINDOW = timedelta(days=28)
CIRCUMSTANCES = ("viewing", "playback", "genre")


@dataclass(frozen=True)
class Spell:
    """An unbroken interval of paying, of a subscriber or of one subscription."""

    subscriber_id: str
    started_at: datetime
    ended_at: datetime | None

    def holds_at(self, instant: datetime) -> bool:
        """Return whether it goes on at an instant."""
        return self.started_at <= instant and (self.ended_at is None or instant < self.ended_at)


def churn_rate_definitions(facts: Facts) -> list[Row]:
    """Return numerator, denominator and rate of each definition and month."""
    by_subscriber, by_subscription = _spells(facts, one=False), _spells(facts, one=True)
    average = {
        row["month_start"]: Fraction(row["average_paying_subscribers"])
        for row in facts.reference.revenue_monthly()
    }
    memberships = _memberships(facts)
    rows = []
    for month in facts.months:
        shares = {
            **_of_lifetimes(facts, month, average.get(month, Fraction(0))),
            **_of_cancels(facts, month),
            "stripe": _stripe(facts, month, by_subscriber),
            "revenuecat": _revenuecat(facts, month, by_subscription),
            "kkbox": _kkbox(facts, month, memberships),
            "fight_churn": _fight_churn(facts, month, by_subscriber),
        }
        end = facts.reference.month_end(month)
        known = {
            "kkbox": end + KKBOX_WAIT <= facts.reference.as_of,
            "fight_churn": end < facts.reference.as_of,
        }
        for definition, (numerator, denominator) in shares.items():
            is_known = known.get(definition, facts.reference.is_complete(month))
            rows.append(
                {
                    "month_start": month,
                    "definition": definition,
                    "numerator": numerator,
                    "denominator": float(denominator),
                    "rate": ratio(numerator, denominator) if is_known else None,
                }
            )
    return rows


def _spells(facts: Facts, *, one: bool) -> list[Spell]:
    """Return the spells of each subscriber, or of each `one` subscription of theirs."""
    found = []
    for subscriber in facts.reference.subscribers:
        for key in subscriber.subscriptions if one else [""]:
            since: datetime | None = None
            for instant in subscriber.instants:
                paying = subscriber.paying_at(instant)
                pays = key in paying if one else bool(paying)
                if pays and since is None:
                    since = instant
                elif not pays and since is not None:
                    found.append(Spell(subscriber.subscriber_id, since, instant))
                    since = None
            if since is not None:
                found.append(Spell(subscriber.subscriber_id, since, None))
    return found


def _of_lifetimes(
    facts: Facts, month: date, average_paying: Fraction
) -> dict[str, tuple[Number, Number]]:
    begin, end = facts.begin_of(month), facts.end_of(month)
    opening, closing, there = set(), set(), set()
    churned = churned_from_opening = 0
    for subscriber, lifetime in facts.lifetimes():
        was_here = lifetime.holds_at(begin - TICK)
        has_ended = (
            lifetime.ended_at is not None and facts.calendar.month_of(lifetime.ended_at) == month
        )
        churned += has_ended
        churned_from_opening += has_ended and was_here
        if was_here:
            opening.add(subscriber.subscriber_id)
        if lifetime.holds_at(end - TICK):
            closing.add(subscriber.subscriber_id)
        if was_here or begin <= lifetime.started_at < end:
            there.add(subscriber.subscriber_id)
    return {
        "tenure": (churned_from_opening, len(opening)),
        "chartmogul": (len(opening - closing), len(opening)),
        "recurly": (churned, len(opening)),
        "recurly_customer_days": (churned, average_paying),
        "cleeng": (len(there - closing), len(there)),
    }


def _of_cancels(facts: Facts, month: date) -> dict[str, tuple[Number, Number]]:
    begin = facts.begin_of(month)
    cancels = returns = loyal = 0
    for found in facts.cancellations:
        cancelled_at = found.cancelled_at
        cancels += cancelled_at is not None and facts.calendar.month_of(cancelled_at) == month
        returns += (
            found.is_resubscription and facts.calendar.month_of(found.lifetime.started_at) == month
        )
        loyal += found.lifetime.holds_at(begin - TICK) and (
            cancelled_at is None or cancelled_at >= begin
        )
    return {"antenna": (cancels, loyal), "antenna_net": (cancels - returns, loyal)}


def _stripe(facts: Facts, month: date, spells: list[Spell]) -> tuple[Number, Number]:
    before = facts.begin_of(month) - TICK
    in_month = facts.calendar.month_of
    ended = sum(x.ended_at is not None and in_month(x.ended_at) == month for x in spells)
    begun = sum(in_month(x.started_at) == month for x in spells)
    return ended, sum(x.holds_at(before) for x in spells) + begun


def _revenuecat(facts: Facts, month: date, spells: list[Spell]) -> tuple[Number, Number]:
    before = facts.begin_of(month) - TICK
    in_month = facts.calendar.month_of
    ended = sum(x.ended_at is not None and in_month(x.ended_at) == month for x in spells)
    returns = set()
    for spell in spells:
        if in_month(spell.started_at) == month:
            earlier = [
                x
                for x in spells
                if x.subscriber_id == spell.subscriber_id and x.started_at < spell.started_at
            ]
            # of two that begin at once, one is a return
            if earlier and not any(x.holds_at(spell.started_at) for x in earlier):
                returns.add((spell.subscriber_id, spell.started_at))
    return ended - len(returns), sum(x.holds_at(before) for x in spells)


def _memberships(facts: Facts) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return each subscriber's memberships: when one expires and when it was bought."""
    found: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for line in facts.accepted["invoice_lines"]:
        invoice = facts.invoices[line["invoice_id"]]
        start_at, end_at = line["period_start_at"], line["period_end_at"]
        if line["kind"] != "subscription" or None in (start_at, end_at) or start_at >= end_at:
            continue
        paid_at = facts.collected_at(line["invoice_id"])
        is_bought = paid_at is not None or not facts.attempts[line["invoice_id"]]
        if invoice["status"] == "paid" or (invoice["status"] == "open" and is_bought):
            found[invoice["subscriber_id"]].append((end_at, paid_at or invoice["issued_at"]))
    return found


def _kkbox(
    facts: Facts, month: date, memberships: dict[str, list[tuple[datetime, datetime]]]
) -> tuple[Number, Number]:
    churned = expired = 0
    for mine in memberships.values():
        ends = [
            end_at
            for end_at, _ in mine
            if end_at < facts.reference.as_of and facts.calendar.month_of(end_at) == month
        ]
        if ends:
            last = max(ends)
            is_renewed = any(e > last and bought_at <= last + KKBOX_WAIT for e, bought_at in mine)
            churned += not is_renewed and last + KKBOX_WAIT < facts.reference.as_of
            expired += 1
    return churned, expired


def _fight_churn(facts: Facts, month: date, spells: list[Spell]) -> tuple[Number, Number]:
    # until the next month's first instant is known, who has stopped so far
    end = min(facts.reference.month_end(month), facts.reference.as_of - TICK)
    first = {x.subscriber_id for x in spells if x.holds_at(facts.begin_of(month))}
    return len(first - {x.subscriber_id for x in spells if x.holds_at(end)}), len(first)


def churn_by_reason_monthly(facts: Facts) -> list[Row]:
    """Return why they left and how they watched before, beside who stayed."""
    gone: dict[tuple[date, str, str], list[Decimal]] = defaultdict(list)
    stayed: Counter[tuple[date, str, str]] = Counter()
    for subscriber, lifetime in facts.lifetimes():
        name = subscriber.subscriber_id
        if lifetime.ended_at is not None:
            level = subscriber.segment_at(lifetime.ended_at - TICK)
            lost = facts.reference.level_worth(level, lifetime.ended_at)
            told = {
                "churn_type": str(lifetime.end_type),
                "churn_reason": lifetime.end_reason or "unknown",
                "cancel_feedback": lifetime.cancel_feedback or "unknown",
                **_circumstances(facts, name, facts.calendar.date_of(lifetime.ended_at)),
            }
            month = facts.calendar.month_of(lifetime.ended_at)
            for circumstance, value in told.items():
                gone[month, circumstance, value].append(lost)
        for month in facts.reference.months_from(facts.calendar.month_of(lifetime.started_at)):
            last = facts.reference.month_end(month) - TICK
            if facts.reference.is_complete(month) and lifetime.holds_at(last):
                for told_of in _circumstances(facts, name, next_month(month)).items():
                    stayed[(month, *told_of)] += 1
    rows = []
    for key in {*gone, *stayed}:
        month, circumstance, value = key
        amounts = gone.get(key, [])
        all_gone = sum(len(found) for other, found in gone.items() if other[:2] == key[:2])
        all_stayed = sum(count for other, count in stayed.items() if other[:2] == key[:2])
        has_stayers = circumstance in CIRCUMSTANCES and facts.reference.is_complete(month)
        rows.append(
            {
                "month_start": month,
                "circumstance": circumstance,
                "circumstance_value": value,
                "churned_subscribers": len(amounts),
                "churned_mrr_amount": sum(amounts, ZERO),
                "staying_subscribers": stayed[key] if has_stayers else None,
                "churned_share": facts.once_over(month, ratio(len(amounts), all_gone)),
                "staying_share": ratio(stayed[key], all_stayed) if has_stayers else None,
                "is_complete": facts.reference.is_complete(month),
            }
        )
    return rows


def _circumstances(facts: Facts, subscriber_id: str, end: date) -> dict[str, str]:
    """Return how somebody watched in the 28 local days before a day."""
    if facts.first_viewing_date is None or facts.first_viewing_date >= end:
        return dict.fromkeys(CIRCUMSTANCES, "unmeasured")
    days = facts.viewing_between(subscriber_id, end - WINDOW, end)
    seconds = facts.genre_seconds(days)
    return {
        "viewing": next(
            band
            for band, least in (("heavy", 12), ("regular", 4), ("light", 1), ("none", 0))
            if len(days) >= least
        ),
        "playback": _playback([play for told in days for play in told.plays]),
        "genre": min(seconds, key=lambda genre: (-seconds[genre], genre), default="none"),
    }


def _playback(plays: list[Row]) -> str:
    if not plays:
        return "none"
    failed = sum(play["end_cause"] in (STARTUP_FAILURE, "error") for play in plays)
    if Fraction(failed, len(plays)) >= Fraction(1, 10):
        return "failing"
    told = [play for play in plays if tells_of_its_buffer(play)]
    waited = sum(play["rebuffer_ms"] for play in told)
    played = waited + 1000 * sum(play["watched_seconds"] for play in told)
    if not played:
        return "unmeasured"
    return "buffering" if Fraction(waited, played) >= Fraction(2, 1000) else "smooth"
