"""What was planted and what came of it, as `truth.json` says it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator import world
from simulator.survival import lifetime_law, tilted_survival


@dataclass(frozen=True)
class Truth:
    """The truth of one simulated service; `docs/simulator.md` says what each section means."""

    parameters: dict[str, Any]
    as_of: str
    """The default knowledge horizon of these files, ISO 8601 in UTC."""
    survival: dict[str, Any]
    rates: dict[str, Any]
    tastes: dict[str, Any]
    channels_by_value: list[str]
    counts: dict[str, int]
    row_reconciliation: dict[str, dict[str, int]]
    quarantined_by_rule: dict[str, dict[str, int]]
    dirt: dict[str, dict[str, int]]

    def write(self, path: Path) -> None:
        """Write the truth as JSON with sorted keys."""
        path.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _curve(number: int, months: int, *, tilt: float = 0.0) -> dict[str, Any]:
    """Return a planted curve, to ten places: the last ones differ between processors."""
    law = lifetime_law(number)
    curve = [round(tilted_survival(law, tilt, month), 10) for month in range(max(months, 24) + 1)]
    return {"survival_12": curve[12], "survival_24": curve[24], "survival_by_month": curve}


def _stratum(tilt: float, months: int) -> dict[str, Any]:
    return {"tilt": round(tilt, 10), **_curve(1, months, tilt=tilt)}


def planted_survival(months: int) -> dict[str, Any]:
    """Return the planted curves: by lifetime number, and of first lifetimes by stratum."""
    lifetimes = {
        name: {"alpha": law.alpha, "beta": law.beta, **_curve(number, months)}
        for number, (name, law) in enumerate(
            zip(("first", "second", "later"), world.LIFETIMES, strict=True), start=1
        )
    }
    quality = world.quality_tilts()
    first = {
        "acquisition_channel": {
            channel.name: _stratum(tilt, months)
            for channel, tilt in zip(world.CHANNELS, world.channel_tilts(), strict=True)
        },
        "plan_tier": {
            plan.tier: _stratum(tilt, months)
            for plan, tilt in zip(world.PLANS[: world.MAIN_PLANS], world.plan_tilts(), strict=True)
        },
        "playback_quality": {
            "good": _stratum(quality[0], months),
            "poor": _stratum(quality[1], months),
        },
    }
    return {"lifetimes": lifetimes, "first_lifetime_strata": first}


def channels_by_value(months: int) -> list[str]:
    """Return the channels, best first, by the months that their new payers are expected to pay."""
    law = lifetime_law(1)
    expected = {
        channel.name: sum(tilted_survival(law, tilt, month) for month in range(max(months, 1)))
        for channel, tilt in zip(world.CHANNELS, world.channel_tilts(), strict=True)
    }
    return sorted(expected, key=lambda name: (-expected[name], name))


def planted_rates(plays_per_month: float) -> dict[str, Any]:
    """Return the planted rates of trials, declined charges, recovery, viewing and the rest."""
    return {
        "trial_share": world.TRIAL_SHARE,
        "trial_conversion": sum(c.share * c.trial_conversion for c in world.CHANNELS),
        "trial_conversion_by_channel": {c.name: c.trial_conversion for c in world.CHANNELS},
        "decline_rate": {method.name: method.decline_rate for method in world.METHODS},
        "recovered_share": world.RECOVERED_SHARE,
        "return_rate": world.RETURN_RATE,
        "annual_share": world.ANNUAL_SHARE,
        "refund_rate": world.REFUND_RATE,
        "chargeback_rate": world.CHARGEBACK_RATE,
        "chargeback_reversal_share": world.REVERSAL_SHARE,
        "plays_per_month": plays_per_month,
        "fade_before_voluntary_churn": {
            "last_month": world.FADE_LAST_MONTH,
            "month_before": world.FADE_MONTH_BEFORE,
        },
        "fade_before_involuntary_churn": {"last_month": 1.0, "month_before": 1.0},
        "promotion_effect_on_survival": 0.0,
        "poor_quality_share": world.POOR_QUALITY_SHARE,
    }


def planted_tastes() -> dict[str, Any]:
    """Return the tastes: how many have each, and what it weighs the genres with."""
    return {
        name: {"share": share, "genres": dict(zip(world.GENRES, weights, strict=True))}
        for (name, weights), share in zip(world.TASTES.items(), world.TASTE_SHARES, strict=True)
    }


def iso(instant: datetime) -> str:
    """Return an instant in UTC as `2026-01-01T00:00:00Z`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
