"""Survival fits of many strata at once: rows of counts in, rows of parameters and curves out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitting.survival import PeriodCount, SurvivalFit, fit_survival

Row = Mapping[str, Any]


def fit_strata(strata: Sequence[Row], counts: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """Rows of `survival_fits`, one a stratum, and of `survival_curves`, of each that has a fit.

    `strata` have `stratum_id` and `last_period`, the renewal up to which its curve is asked for;
    `counts` have `stratum_id`, `period`, `churned` and `censored`, and may come in any order. A
    stratum without anything to fit has null parameters, a reason and no curve.
    """
    by_stratum: defaultdict[str, list[PeriodCount]] = defaultdict(list)
    for row in counts:
        by_stratum[row["stratum_id"]].append(
            PeriodCount(int(row["period"]), int(row["churned"]), int(row["censored"]))
        )
    fits: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for stratum in strata:
        stratum_id = stratum["stratum_id"]
        fit = fit_survival(by_stratum[stratum_id])
        fits.append({"stratum_id": stratum_id, **_fit_row(fit)})
        if fit.chosen:
            shares = fit.chosen.model.survival(np.arange(int(stratum["last_period"]) + 1))
            curves.extend(
                {"stratum_id": stratum_id, "period": period, "survival": share}
                for period, share in enumerate(shares.tolist())
            )
    return {"survival_fits": fits, "survival_curves": curves}


def _fit_row(fit: SurvivalFit) -> dict[str, Any]:
    chosen, simple, general = fit.chosen, fit.shifted_beta_geometric, fit.beta_discrete_weibull
    return {
        "due_lifetimes": fit.customers,
        "churned_lifetimes": fit.churned,
        "last_due_period": fit.periods,
        "model": chosen.name if chosen else None,
        "alpha": chosen.model.alpha if chosen else None,
        "beta": chosen.model.beta if chosen else None,
        "shape": chosen.model.shape if chosen else None,
        "shifted_beta_geometric_log_likelihood": simple.log_likelihood if simple else None,
        "beta_discrete_weibull_log_likelihood": general.log_likelihood if general else None,
        "likelihood_ratio_p_value": fit.p_value,
        "reason": fit.reason,
    }
