"""Rows of counts in, rows of parameters and curves out."""

import math

import pytest

from fitting.strata import fit_strata
from fitting.survival import PeriodCount, SurvivalModel, counts_of_survivors, fit_survival

REGULAR = counts_of_survivors([1000, 631, 468, 382, 326])


def _rows(stratum_id: str, counts: list[PeriodCount]) -> list[dict[str, object]]:
    return [
        {
            "stratum_id": stratum_id,
            "period": count.period,
            "churned": count.churned,
            "censored": count.censored,
        }
        for count in counts
    ]


def test_each_stratum_is_fitted_to_its_own_counts() -> None:
    strata = [
        {"stratum_id": "regular", "last_period": 12},
        {"stratum_id": "loyal", "last_period": 3},
    ]
    loyal = counts_of_survivors([500, 490, 482, 476])
    counts = _rows("loyal", loyal) + _rows("regular", REGULAR[::-1])
    made = fit_strata(strata, counts)
    fits = {row["stratum_id"]: row for row in made["survival_fits"]}
    chosen = fit_survival(REGULAR).chosen
    assert chosen is not None
    assert fits["regular"]["alpha"] == chosen.model.alpha
    assert fits["regular"]["model"] == "shifted_beta_geometric"
    assert fits["regular"]["likelihood_ratio_p_value"] == pytest.approx(0.55, abs=0.005)
    assert (fits["loyal"]["due_lifetimes"], fits["loyal"]["churned_lifetimes"]) == (500, 24)
    curve = [row for row in made["survival_curves"] if row["stratum_id"] == "regular"]
    assert [row["period"] for row in curve] == list(range(13))
    model = SurvivalModel(fits["regular"]["alpha"], fits["regular"]["beta"])
    assert curve[12]["survival"] == float(model.survival(12))


def test_a_stratum_with_nothing_to_fit_has_a_reason_and_no_curve() -> None:
    strata = [{"stratum_id": name, "last_period": 5} for name in ("nobody", "everybody", "empty")]
    counts = [
        *_rows("nobody", [PeriodCount(3, 0, 50)]),
        *_rows("everybody", [PeriodCount(1, 50, 0)]),
    ]
    made = fit_strata(strata, counts)
    assert made["survival_curves"] == []
    told = {row["stratum_id"]: row for row in made["survival_fits"]}
    assert told["nobody"]["reason"] == "nobody has churned"
    assert told["everybody"]["reason"] == "nobody has renewed"
    assert told["empty"]["reason"] == "nobody has come up to a first renewal yet"
    numbers = ["alpha", "beta", "shape", "likelihood_ratio_p_value", "model"]
    assert all(row[name] is None for row in told.values() for name in numbers)


def test_no_figure_is_infinite_or_not_a_number() -> None:
    strata = [{"stratum_id": "odd", "last_period": 4000}]
    made = fit_strata(strata, _rows("odd", counts_of_survivors([1000, 100, 10, 1, 0])))
    figures = [value for row in made["survival_fits"] for value in row.values()]
    figures += [row["survival"] for row in made["survival_curves"]]
    assert all(math.isfinite(value) for value in figures if isinstance(value, float))


def test_no_strata_give_empty_tables() -> None:
    assert fit_strata([], []) == {"survival_fits": [], "survival_curves": []}
