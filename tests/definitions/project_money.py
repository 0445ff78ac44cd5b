"""What became of invoices that failed, and who came on a promotion and stayed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from .intake import Row
from .money import ZERO
from .project_facts import Facts
from .project_figures import DAY, days, mean, ratio
from .timeline import Lifetime, Subscriber


@dataclass(frozen=True)
class FailedInvoice:
    """An invoice that could not be collected at first."""

    month_start: date
    was_past_due: bool
    outcome: str
    attempts: int
    took: timedelta | None


def dunning_monthly(facts: Facts) -> list[Row]:
    """Return failed invoices by the month of the first failure."""
    failed = [
        found
        for invoice in facts.accepted["invoices"]
        if (found := _failed_invoice(facts, invoice)) is not None
    ]
    return [
        _dunning_row(
            facts,
            month,
            [x for x in failed if x.month_start == month and x.was_past_due == was_past_due],
            was_past_due=was_past_due,
        )
        for month in (facts.months if failed else [])
        for was_past_due in (False, True)
    ]


def _dunning_row(
    facts: Facts, month: date, failed: list[FailedInvoice], *, was_past_due: bool
) -> Row:
    outcomes = Counter(x.outcome for x in failed)
    recoveries = [x.took for x in failed if x.took is not None]
    is_final = facts.reference.is_complete(month) and not outcomes["pending"]
    rate = ratio(outcomes["recovered"], len(failed))
    average = mean([days(took) for took in recoveries])
    return {
        "month_start": month,
        "was_past_due": was_past_due,
        "failed_invoices": len(failed),
        "failed_attempts": sum(x.attempts for x in failed),
        "recovered_invoices": outcomes["recovered"],
        "lost_invoices": outcomes["lost"],
        "pending_invoices": outcomes["pending"],
        "recovered_within_7_days": sum(took <= 7 * DAY for took in recoveries),
        "recovery_rate": rate if is_final else None,
        "average_days_to_recover": average if is_final else None,
        "is_complete": facts.reference.is_complete(month),
    }


def _failed_invoice(facts: Facts, invoice: Row) -> FailedInvoice | None:
    attempts = facts.attempts[invoice["invoice_id"]]
    paid_at = facts.collected_at(invoice["invoice_id"])
    failures = [
        row["attempted_at"]
        for row in attempts
        if row["status"] == "failed" and (paid_at is None or row["attempted_at"] <= paid_at)
    ]
    if not failures:
        return None
    first = min(failures)
    subscription = facts.reference.subscriptions.get(str(invoice["subscription_id"]))
    was_past_due = has_run_out = False
    for start, end, state in subscription.intervals(facts.reference.as_of) if subscription else []:
        goes_on = end > first
        if state.status in ("past_due", "unpaid") and goes_on and start < first + DAY:
            was_past_due |= paid_at is None or start < paid_at
        has_run_out |= state.status == "unpaid" and goes_on
        has_run_out |= state.end_reason == "payment_failed" and start >= first
    grace = timedelta(days=facts.reference.settings.past_due_grace_days)
    if paid_at is not None or invoice["status"] == "paid":
        outcome = "recovered"
    elif invoice["status"] in ("uncollectible", "void") or has_run_out:
        outcome = "lost"
    else:
        outcome = "lost" if first + grace < facts.reference.as_of else "pending"
    return FailedInvoice(
        month_start=facts.calendar.month_of(first),
        was_past_due=was_past_due,
        outcome=outcome,
        attempts=len(failures),
        took=None if paid_at is None else paid_at - first,
    )


@dataclass(frozen=True)
class Start:
    """A lifetime, and the code that it began on."""

    number: int
    code: str | None
    discount_days: int | None
    has_paid_full_price: bool
    tenure_days: int
    observed_days: int
    kind: tuple[date, bool, tuple[str, int]]


def promotion_performance(facts: Facts) -> list[Row]:
    """Return how often each code was redeemed, what it cost, who came on it and who stayed."""
    lines = [
        (line, facts.invoices[line["invoice_id"]])
        for line in facts.accepted["invoice_lines"]
        if facts.invoices[line["invoice_id"]]["status"] not in ("draft", "void")
    ]
    starts = _starts(facts, lines)
    rows = []
    for code in {line["promotion_code"] for line, _ in lines} - {None}:
        mine = [(line, invoice) for line, invoice in lines if line["promotion_code"] == code]
        issued = [facts.calendar.date_of(invoice["issued_at"]) for _, invoice in mine]
        came = [start.number for start in starts if start.code == code]
        rows.append(
            {
                "promotion_code": code,
                "first_redeemed_date": min(issued),
                "last_redeemed_date": max(issued),
                "redemptions": len({_redemption(invoice) for _, invoice in mine}),
                "redeeming_subscribers": len({invoice["subscriber_id"] for _, invoice in mine}),
                "discounted_lines": len(mine),
                "discount_amount": sum(
                    (facts.reference.discount(line, invoice) for line, invoice in mine), ZERO
                ),
                "new_subscribers": came.count(1),
                "reactivated_subscribers": len(came) - came.count(1),
                **_stays(facts, code, starts),
            }
        )
    return rows


def _redemption(invoice: Row) -> tuple[str, str]:
    if invoice["subscription_id"] is None:
        return "invoice", invoice["invoice_id"]
    return "subscription", invoice["subscription_id"]


def _starts(facts: Facts, lines: Sequence[tuple[Row, Row]]) -> list[Start]:
    periods: dict[str, list[tuple[Row, Row]]] = defaultdict(list)
    for line, invoice in lines:
        if line["kind"] == "subscription":
            periods[invoice["subscriber_id"]].append((line, invoice))
    return [
        _start(facts, subscriber, lifetime, periods[subscriber.subscriber_id])
        for subscriber, lifetime in facts.lifetimes()
    ]


def _start(
    facts: Facts, subscriber: Subscriber, lifetime: Lifetime, lines: list[tuple[Row, Row]]
) -> Start:
    following = subscriber.lifetimes[lifetime.number :]
    periods: list[tuple[datetime, bool, str, str, datetime]] = []
    for line, invoice in lines:
        code, start = line["promotion_code"], line["period_start_at"] or invoice["issued_at"]
        # a period may be billed a day before what it is for
        if start + DAY < lifetime.started_at:
            continue
        if following and start + DAY >= following[0].started_at:
            continue
        if lifetime.ended_at is None or start < lifetime.ended_at:
            end = max(line["period_end_at"] or start, lifetime.started_at)
            periods.append((start, code is None, code or "", line["invoice_line_id"], end))
    begin = facts.calendar.date_of(lifetime.started_at)
    code = min(periods)[2] if periods else ""
    until = max((end for *_, one, _, end in periods if code and one == code), default=None)
    return Start(
        number=lifetime.number,
        code=code or None,
        discount_days=None if until is None else (facts.calendar.date_of(until) - begin).days,
        has_paid_full_price=until is not None
        and any(start >= until for start, _, one, *_ in periods if one != code),
        tenure_days=facts.reference.tenure_days(lifetime),
        observed_days=(facts.calendar.date_of(facts.reference.as_of) - begin).days,
        kind=(
            facts.calendar.month_of(lifetime.started_at),
            lifetime.number == 1,
            lifetime.first_state.billing_period,
        ),
    )


def _stays(facts: Facts, code: str, starts: list[Start]) -> Row:
    """Return who stayed beyond the discount, beside their like who came without a code."""
    lengths = Counter(
        start.discount_days
        for start in starts
        if start.code == code and start.has_paid_full_price and start.discount_days is not None
    )
    none = dict.fromkeys(
        (
            "discount_days",
            "observed_subscribers",
            "stayed_subscribers",
            "stay_rate",
            "comparison_subscribers",
            "comparison_stayed_subscribers",
            "comparison_stay_rate",
        )
    )
    if not lengths:
        return none
    length = max(lengths, key=lambda found: (lengths[found], found))
    horizon = length + facts.reference.settings.past_due_grace_days
    due = [start for start in starts if start.observed_days > horizon]
    ours = [start for start in due if start.code == code]
    if not ours:
        return {**none, "discount_days": length}
    kinds = Counter(start.kind for start in ours)
    others = [start for start in due if start.code is None and start.kind in kinds]
    stayed = sum(start.tenure_days > horizon for start in ours)
    compared = {
        kind: [start.tenure_days > horizon for start in others if start.kind == kind]
        for kind in {start.kind for start in others}
    }
    expected = sum(
        (kinds[kind] * Fraction(sum(stays), len(stays)) for kind, stays in compared.items()),
        Fraction(0),
    )
    return {
        "discount_days": length,
        "observed_subscribers": len(ours),
        "stayed_subscribers": stayed,
        "stay_rate": ratio(stayed, len(ours)),
        "comparison_subscribers": len(others) or None,
        "comparison_stayed_subscribers": sum(map(sum, compared.values())) if others else None,
        "comparison_stay_rate": ratio(expected, sum(kinds[kind] for kind in compared)),
    }
