"""MRR movements as somebody writes them in an afternoon with pandas: customers by months.

The definition is that of `spine.sql`: what is held at a month's end, compared with the one before.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd

PERIODS_A_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}
PAYING = ("active", "past_due")
MICROSECOND = pd.Timedelta(microseconds=1)


def movements(
    changes: pd.DataFrame, rates: pd.DataFrame, currencies: pd.DataFrame, *, as_of: datetime
) -> pd.DataFrame:
    """Return `subscriber_id`, `month_start`, `category`, `mrr_change_amount`, a row a movement.

    `changes` are accepted rows of `subscription_changes`, `rates` of `exchange_rates`; `currencies`
    has `currency` and `minor_unit_digits`. Amounts are floats, rounded to 4 places. `as_of` is
    without a zone.
    """
    held = _held_at_month_ends(_periods(changes, currencies, as_of), as_of)
    held = held.merge(rates, on=["currency", "month_start"], how="left")
    held["mrr"] = (held["monthly_amount"] * held["rate"].fillna(1.0)).round(4)
    table = held.pivot_table(
        index="subscriber_id", columns="month_start", values="mrr", aggfunc="sum", fill_value=0.0
    )
    last = (pd.Timestamp(as_of) - MICROSECOND).to_period("M").to_timestamp()
    months = pd.date_range(table.columns.min(), last, freq="MS")
    return _compared(table.reindex(columns=months, fill_value=0.0))


def _periods(changes: pd.DataFrame, currencies: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Return the times in which a subscription is paid for, with what it pays a month."""
    periods = changes.sort_values(["subscription_id", "changed_at", "recorded_at", "change_id"])
    next_change = periods.groupby("subscription_id", sort=False)["changed_at"].shift(-1)
    periods = periods.assign(ended_at=next_change.fillna(pd.Timestamp(as_of)))
    periods = periods.merge(currencies, on="currency")
    periods["monthly_amount"] = (
        periods["amount_minor"]
        / 10.0 ** periods["minor_unit_digits"]
        * periods["billing_period_unit"].map(PERIODS_A_YEAR)
        / (12 * periods["billing_period_count"])
    ).round(4)
    is_paid = periods["status"].isin(PAYING) & (periods["monthly_amount"] > 0)
    return periods[is_paid & (periods["changed_at"] < periods["ended_at"])]


def _held_at_month_ends(periods: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Return a row a period and month at whose end it holds; the open month ends at `as_of`."""
    first = _month_number(periods["changed_at"])
    # what ends with a month's last instant, or with what is known, is held at its end
    last = _month_number(periods["ended_at"]) - 1
    last = last.where(periods["ended_at"] < pd.Timestamp(as_of), _number(as_of))
    months = (last - first + 1).clip(lower=0)
    held = periods.loc[
        periods.index.repeat(months), ["subscriber_id", "currency", "monthly_amount"]
    ]
    number = first.loc[held.index] + held.groupby(level=0).cumcount()
    year, month = number // 12, number % 12 + 1
    return held.assign(
        month_start=pd.to_datetime({"year": year, "month": month, "day": 1})
    ).reset_index(drop=True)


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    before = table.shift(1, axis=1, fill_value=0.0)
    had_before = (before > 0).cummax(axis=1)
    long = pd.DataFrame(
        {
            "mrr": table.stack(),
            "before": before.stack(),
            "had_before": had_before.stack(),
        }
    )
    long.index = long.index.set_names(["subscriber_id", "month_start"])
    long = long[(long["mrr"] - long["before"]).abs() > 0].reset_index()
    long["mrr_change_amount"] = (long["mrr"] - long["before"]).round(4)
    long["category"] = "expansion"
    long.loc[long["mrr"] < long["before"], "category"] = "contraction"
    long.loc[(long["before"] == 0) & long["had_before"], "category"] = "reactivation"
    long.loc[~long["had_before"], "category"] = "new"
    long.loc[long["mrr"] == 0, "category"] = "churn"
    return long[["subscriber_id", "month_start", "category", "mrr_change_amount"]]


def _month_number(instants: pd.Series[pd.Timestamp]) -> pd.Series[int]:
    return instants.dt.year * 12 + instants.dt.month - 1


def _number(as_of: datetime) -> int:
    last = pd.Timestamp(as_of) - MICROSECOND
    return last.year * 12 + last.month - 1
