"""Kaplan-Meier, with exact products and sums up to the last step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Z = 1.959963984540054


def kaplan_meier(observed: Sequence[tuple[int, bool]]) -> list[dict[str, Any]]:
    """Return a point for each distinct tenure of `observed`, pairs of tenure and whether it ended.

    Survival is the product over tenures of 1 - churned / at risk, its error Greenwood's, its
    interval that of the log of minus the log. Where survival is 1 the error is 0 and the interval
    1 to 1; where it is 0 neither is known.
    """
    survival = Fraction(1)
    spread = Fraction(0)
    points = []
    for tenure in sorted({tenure for tenure, _ in observed}):
        at_risk = sum(other >= tenure for other, _ in observed)
        churned = sum(other == tenure and ended for other, ended in observed)
        censored = sum(other == tenure and not ended for other, ended in observed)
        survival *= 1 - Fraction(churned, at_risk)
        if churned < at_risk:
            spread += Fraction(churned, at_risk * (at_risk - churned))
        error, lower, upper = _uncertainty(float(survival), float(spread))
        points.append(
            {
                "tenure_days": tenure,
                "at_risk": at_risk,
                "churned": churned,
                "censored": censored,
                "survival": float(survival),
                "std_error": error,
                "ci_lower": lower,
                "ci_upper": upper,
            }
        )
    return points


def _uncertainty(survival: float, spread: float) -> tuple[float | None, float | None, float | None]:
    """Return the standard error and the two ends of the interval."""
    if survival == 0:
        return None, None, None
    if survival == 1:
        return 0.0, 1.0, 1.0
    log_survival = math.log(survival)
    theta = Z * math.sqrt(spread) / abs(log_survival)
    return (
        survival * math.sqrt(spread),
        survival ** math.exp(theta),
        survival ** math.exp(-theta),
    )
