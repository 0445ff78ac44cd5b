"""Exact money: rounding, minor units, monthly value of a price, and rates of exchange.

Everything is a fraction until it is rounded, and rounding is half away from zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

MINOR_DIGITS = {
    "USD": 2,
    "EUR": 2,
    "GBP": 2,
    "BRL": 2,
    "CHF": 2,
    "NPR": 2,
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "KWD": 3,
    "TND": 3,
}
"""Digits of the minor unit by ISO 4217, of the currencies that the tests use."""

MONTHLY_FACTORS = {
    "day": Fraction(365, 12),
    "week": Fraction(52, 12),
    "month": Fraction(1),
    "year": Fraction(1, 12),
}

RATE_WINDOW = timedelta(days=7)

ZERO = Decimal("0.0000")


class MissingRatesError(Exception):
    """Something is valued in a currency that has no rate in the week up to a month's first day.

    `missing` holds each currency with that day.
    """

    def __init__(self, missing: Iterable[tuple[str, date]]) -> None:
        self.missing = sorted(set(missing))
        super().__init__("; ".join(f"no rate for {name} on {day}" for name, day in self.missing))


def round_half_away(value: Fraction) -> int:
    """Return the whole number nearest to `value`, a half going away from zero."""
    magnitude = (abs(value) * 2 + 1) // 2
    return int(magnitude) if value >= 0 else -int(magnitude)


def round_amount(value: Fraction) -> Decimal:
    """Return `value` at four places, half away from zero."""
    return Decimal(round_half_away(value * 10_000)).scaleb(-4)


def running_share(total: int, start: Fraction, end: Fraction) -> int:
    """Return what falls between two points of a straight line from 0 to `total`.

    `start` and `end` are the shares of the line, 0 to 1, that lie before the two points. Each
    running total is rounded to the unit, so that shares that touch add up to the whole.
    """
    return round_half_away(total * end) - round_half_away(total * start)


def major(amount_minor: int, currency: str) -> Fraction:
    """Return an amount in minor units as units of the currency."""
    return Fraction(amount_minor, 10 ** MINOR_DIGITS[currency])


def monthly_amount(amount_minor: int, currency: str, unit: str, count: int) -> Decimal:
    """Return what a price of `amount_minor` per `count` units is per month, in its currency."""
    return round_amount(major(amount_minor, currency) * MONTHLY_FACTORS[unit] / count)


class Rates:
    """The reporting currency's price of the others, one rate a month.

    A rate that is asked for and not there is noted in `missing` and answered with 0, so that one
    look at a service names all that it lacks.
    """

    def __init__(self, accepted: Iterable[Mapping[str, Any]], reporting_currency: str) -> None:
        self._rows = list(accepted)
        self._reporting_currency = reporting_currency
        self._known: dict[tuple[str, date], Fraction | None] = {}
        self.missing: set[tuple[str, date]] = set()

    def _find(self, currency: str, month: date) -> Fraction | None:
        candidates = [
            row
            for row in self._rows
            if row["currency"] == currency and month - RATE_WINDOW <= row["rate_date"] <= month
        ]
        if not candidates:
            return None
        return Fraction(max(candidates, key=lambda row: row["rate_date"])["rate"])

    def value(self, amount: Fraction | Decimal, currency: str, month: date) -> Decimal:
        """Return `amount` of `currency` in the reporting currency at the month's rate.

        Nothing is worth nothing at any rate, so an amount of 0 needs none.
        """
        exact = Fraction(amount)
        if exact == 0:
            return ZERO
        if currency == self._reporting_currency:
            return round_amount(exact)
        if (currency, month) not in self._known:
            self._known[currency, month] = self._find(currency, month)
        rate = self._known[currency, month]
        if rate is None:
            self.missing.add((currency, month))
            return ZERO
        return round_amount(exact * rate)
