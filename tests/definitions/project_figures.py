"""Shares, means and quantiles, exact until they are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from .local_time import TICK, month_of_date, next_month

Number = int | Fraction | Decimal

DAY = timedelta(days=1)
HALF = Fraction(1, 2)


def ratio(one: Number, other: Number) -> float | None:
    """Return one over the other, None where that is 0."""
    return float(Fraction(one) / Fraction(other)) if other else None


def mean(values: Collection[Number]) -> float | None:
    """Return the mean, None of nothing."""
    return ratio(sum(Fraction(value) for value in values), len(values))


def quantile(values: Iterable[Number], share: Fraction) -> float | None:
    """Return the quantile, on a straight line between two values; None of nothing."""
    ordered = sorted(Fraction(value) for value in values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def hours(length: timedelta) -> Fraction:
    """Return a length in hours."""
    return Fraction(length // TICK, timedelta(hours=1) // TICK)


def days(length: timedelta) -> Fraction:
    """Return a length in days of 24 hours."""
    return Fraction(length // TICK, DAY // TICK)


def last_day(month: date) -> int:
    """Return the number of the month's last day."""
    return (next_month(month_of_date(month)) - DAY).day


def months_later(instant: datetime, months: int) -> datetime:
    """Return an instant so many months later, on the last day of a shorter month."""
    count = instant.year * 12 + instant.month - 1 + months
    month = date(count // 12, count % 12 + 1, 1)
    return instant.replace(
        year=month.year, month=month.month, day=min(instant.day, last_day(month))
    )
