"""What does not hang on a subscriber: plans, exchange rates and marketing spend."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from simulator import world
from simulator.arrays import DAY, HOUR, Ints, Window, labels, times, to_table
from simulator.contract import RawTable

RATE_DAYS_BEFORE = 62
"""So long before the window rates begin: a local month may begin earlier, and looks back 7 days."""

# the level at the window's start and the standard deviation of a day's change
_RATES = {"EUR": (1.08, 0.0045), "JPY": (0.0068, 0.0050)}


def plans_table(raw: RawTable, window: Window) -> pa.Table:
    """Return the plans on offer, recorded before the service began."""
    return to_table(
        raw,
        {
            "plan_id": pa.array([plan.plan_id for plan in world.PLANS]),
            "plan_name": pa.array([plan.name for plan in world.PLANS]),
            "plan_tier": pa.array([plan.tier for plan in world.PLANS]),
            "is_ad_supported": pa.array([plan.is_ad_supported for plan in world.PLANS]),
            "max_streams": pa.array([plan.max_streams for plan in world.PLANS]),
            "recorded_at": times(np.full(len(world.PLANS), window.start - 30 * DAY)),
        },
    )


def rates_table(rng: np.random.Generator, raw: RawTable, window: Window) -> pa.Table:
    """Return a rate a day and currency, against US dollars: a random walk drawn back to its level.

    A day's rate arrives at 13:00 UTC, when that day has begun everywhere west of Greenwich too.
    """
    first, last = window.start // DAY - RATE_DAYS_BEFORE, window.end // DAY
    days = np.arange(first, last, dtype=np.int64)
    columns: dict[str, list[Ints]] = {"day": [], "code": []}
    rates: list[Decimal] = []
    for code, (level, deviation) in enumerate(_RATES.values()):
        distance = 0.0
        for shock in rng.normal(0, deviation, len(days)):
            distance = 0.995 * distance + shock
            rates.append(Decimal(round(level * float(np.exp(distance)) * 10**8)).scaleb(-8))
        columns["day"].append(days)
        columns["code"].append(np.full(len(days), code, dtype=np.int64))
    day = np.concatenate(columns["day"])
    return to_table(
        raw,
        {
            "rate_date": pa.array(day.astype(np.int32), pa.date32()),
            "currency": labels(np.concatenate(columns["code"]), list(_RATES)),
            "rate": pa.array(rates, raw.column("rate").arrow_type),
            "recorded_at": times(day * DAY + 13 * HOUR),
        },
    )


def spend_table(
    rng: np.random.Generator, raw: RawTable, *, subscribers: int, window: Window
) -> pa.Table:
    """Return a day's spend by channel and country, in the country's currency.

    What a sign-up is meant to cost, times the sign-ups to expect that day, give or take a tenth;
    recorded the morning after, the last day's with the closing batch.
    """
    days = np.arange(window.start // DAY, window.end // DAY, dtype=np.int64)
    elapsed = (np.arange(len(days)) + 0.5) / len(days)
    sign_ups = subscribers / len(days) * (2 / 3) * (1 + elapsed)
    paid = [n for n, channel in enumerate(world.CHANNELS) if max(channel.cost_per_sign_up_minor)]
    parts: list[tuple[Ints, Ints, Ints, Ints]] = []
    for channel in paid:
        for number, country in enumerate(world.COUNTRIES):
            cost = world.CHANNELS[channel].cost_per_sign_up_minor[country.currency]
            expected = sign_ups * world.CHANNELS[channel].share * country.share * cost
            amount = np.rint(expected * rng.normal(1, 0.1, len(days)).clip(0.5, 1.5)).astype(
                np.int64
            )
            size = np.full(len(days), 1, dtype=np.int64)
            parts.append((days, size * channel, size * number, amount))
    day, channel_code, country_code, amount = (
        np.concatenate(values) for values in zip(*parts, strict=True)
    )
    currency = np.array([country.currency for country in world.COUNTRIES])[country_code]
    return to_table(
        raw,
        {
            "spend_date": pa.array(day.astype(np.int32), pa.date32()),
            "acquisition_channel": labels(channel_code, [c.name for c in world.CHANNELS]),
            "country_code": labels(country_code, [c.code for c in world.COUNTRIES]),
            "amount_minor": pa.array(amount),
            "currency": labels(currency, world.CURRENCIES),
            "recorded_at": times(np.minimum((day + 1) * DAY + 6 * HOUR, window.end - 1)),
        },
    )
