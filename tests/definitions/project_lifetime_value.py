"""What cohorts have brought and what they cost."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .intake import Row
from .local_time import month_of_date, months_between
from .money import ZERO, round_amount, round_half_away
from .project_facts import Facts
from .project_figures import last_day

AGES = (1, 3, 6, 12, 24)

Cohort = tuple[date, str]
Movement = tuple[date, Decimal]


def clv_cohorts(facts: Facts) -> list[Row]:
    """Return each month's and channel's cohort: what came in of it, by age, against its cost."""
    costs: dict[Cohort, Decimal] = defaultdict(lambda: ZERO)
    for row in facts.accepted["marketing_spend"]:
        month = month_of_date(row["spend_date"])
        cost = facts.reference.in_reporting_currency(row["amount_minor"], row["currency"], month)
        if row["amount_minor"]:
            costs[month, row["acquisition_channel"]] += cost
    kept = _kept(facts)
    members: dict[Cohort, list[list[tuple[int, Decimal]]]] = defaultdict(list)
    for subscriber, lifetime in facts.lifetimes():
        if lifetime.number == 1:
            first = facts.calendar.date_of(lifetime.started_at)
            channel = facts.reference.channel_of(subscriber.subscriber_id)
            members[month_of_date(first), channel].append(
                [(_age(first, day), value) for day, value in kept[subscriber.subscriber_id]]
            )
    return [
        _cohort_row(facts, cohort, members.get(cohort, []), costs.get(cohort, ZERO))
        for cohort in {*members, *costs}
    ]


def _kept(facts: Facts) -> dict[str, list[Movement]]:
    """Return what was kept of each subscriber: collected, less tax, refunds and fees."""
    found: dict[str, list[Movement]] = defaultdict(list)

    def add(invoice: Row, row: Row, moved: str, minor: int) -> None:
        day = facts.calendar.date_of(row[moved])
        month = month_of_date(day)
        value = facts.reference.in_reporting_currency(minor, row["currency"], month)
        found[invoice["subscriber_id"]].append((day, value))

    for payment in facts.accepted["payments"]:
        invoice = facts.invoices[payment["invoice_id"]]
        add(invoice, payment, "attempted_at", -payment["fee_minor"])
        if payment["status"] == "succeeded":
            add(invoice, payment, "attempted_at", payment["amount_minor"])
            if invoice["total_minor"] > 0:
                share = Fraction(invoice["tax_minor"], invoice["total_minor"])
                tax = round_half_away(payment["amount_minor"] * share)
                add(invoice, payment, "attempted_at", -tax)
    for refund in facts.accepted["refunds"]:
        invoice = facts.invoices[facts.payments[refund["payment_id"]]["invoice_id"]]
        net = refund["amount_minor"] - refund["tax_minor"]
        add(
            invoice,
            refund,
            "refunded_at",
            net if refund["kind"] == "chargeback_reversal" else -net,
        )
    return found


def _age(first: date, day: date) -> int:
    """Return the whole months from a day to another; one from the 31st is over on the 28th."""
    is_over = day.day >= min(first.day, last_day(day))
    return max(months_between(first, day) - (not is_over), 0)


def _cohort_row(
    facts: Facts, cohort: Cohort, members: list[list[tuple[int, Decimal]]], cost: Decimal
) -> Row:
    month, channel = cohort
    movements = [movement for member in members for movement in member]
    whole = [m for m in facts.months if facts.reference.is_complete(m)]
    months_old = max(months_between(month, whole[-1]), 0) if whole else 0
    is_complete = facts.reference.is_complete(month)

    def by(age: int) -> Decimal:
        return sum((value for months, value in movements if months < age), ZERO)

    # an age at which nothing came in changes nothing
    turns = sorted({months + 1 for months, _ in movements})
    paid_back = [age for age in turns if age <= months_old and by(age) >= cost]
    cost_each = round_amount(Fraction(cost) / len(members)) if members else None
    return {
        "cohort_month": month,
        "acquisition_channel": channel,
        "cohort_size": len(members),
        "whole_months_old": months_old,
        "acquisition_cost_amount": cost,
        "cost_per_subscriber_amount": cost_each if is_complete else None,
        "historic_value_amount": sum((value for _, value in movements), ZERO),
        **{
            f"realised_value_{age}_months_amount": by(age) if age <= months_old else None
            for age in AGES
        },
        "months_to_pay_back": paid_back[0] if paid_back and cost > 0 else None,
        "is_complete": is_complete,
    }
