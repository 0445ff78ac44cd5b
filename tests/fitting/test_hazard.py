"""A hazard model of competing ends: what is planted comes back, and nothing is made up."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from fitting.hazard import STAYED, HazardModel, Observations, fit_hazard

ENDS = ("involuntary", "voluntary")
NO_PENALTY = 1e6


def _table(outcomes: list[str], **features: Sequence[object]) -> pa.Table:
    dates = [dt.date(2026, 1, 1)] * len(outcomes)
    return pa.table({"observation_date": dates, "outcome": outcomes, **features})


def _repeated(counts: dict[tuple[str, str], int]) -> Observations:
    """Observations by category and outcome, so many times each."""
    rows = [key for key, count in counts.items() for _ in range(count)]
    return Observations.of(
        _table([outcome for _, outcome in rows], tier=[tier for tier, _ in rows])
    )


def test_of_one_category_the_probabilities_are_the_shares() -> None:
    observations = _repeated({("a", STAYED): 80, ("a", "voluntary"): 15, ("a", "involuntary"): 5})
    probabilities = fit_hazard(observations, 1.0).probabilities(observations)
    assert probabilities["voluntary"] == pytest.approx(0.15, abs=1e-6)
    assert probabilities["involuntary"] == pytest.approx(0.05, abs=1e-6)


def test_without_penalty_each_category_has_its_own_shares() -> None:
    observations = _repeated(
        {("a", STAYED): 900, ("a", "voluntary"): 100, ("b", STAYED): 700, ("b", "voluntary"): 300}
    )
    model = fit_hazard(observations, NO_PENALTY)
    of_voluntary = model.probabilities(observations)["voluntary"]
    assert of_voluntary[:1000] == pytest.approx(0.1, abs=1e-4)
    assert of_voluntary[1000:] == pytest.approx(0.3, abs=1e-4)
    rows = {(row["feature"], row["category"]): row for row in model.rows()}
    # the odds ratio of the two by hand: (300 ÷ 700) ÷ (100 ÷ 900) = 27 ÷ 7
    difference = rows["tier", "b"]["coefficient"] - rows["tier", "a"]["coefficient"]
    assert difference == pytest.approx(math.log(27 / 7), abs=1e-3)


def test_coefficients_are_in_units_of_the_feature() -> None:
    # among those with 0 tickets 1 of 10 ends, with 1 ticket 1 of 2: the odds go from 1/9 to 1
    outcomes = [STAYED] * 900 + ["voluntary"] * 100 + [STAYED] * 500 + ["voluntary"] * 500
    tickets = [0] * 1000 + [1] * 1000
    model = fit_hazard(Observations.of(_table(outcomes, tickets=tickets)), NO_PENALTY)
    intercept, coefficient = (row["coefficient"] for row in model.rows())
    assert intercept == pytest.approx(math.log(1 / 9), abs=1e-3)
    assert coefficient == pytest.approx(math.log(9), abs=1e-3)


def test_planted_coefficients_come_back() -> None:
    generator = np.random.default_rng(5)
    size = 60_000
    flag = generator.random(size) < 0.3
    value = generator.normal(10, 4, size)
    planted = {"voluntary": (-3.0, 1.0, -0.1), "involuntary": (-4.0, -0.5, 0.05)}
    odds = {
        end: np.exp(constant + of_flag * flag + of_value * value)
        for end, (constant, of_flag, of_value) in planted.items()
    }
    total = 1 + sum(odds.values())
    drawn = generator.random(size) * total
    outcomes = np.where(
        drawn < 1, STAYED, np.where(drawn < 1 + odds["voluntary"], "voluntary", "involuntary")
    )
    table = _table(outcomes.tolist(), flag=flag.tolist(), value=value.tolist())
    rows = fit_hazard(Observations.of(table), NO_PENALTY).rows()
    found = {(row["outcome"], row["feature"]): row["coefficient"] for row in rows}
    for end, (constant, of_flag, of_value) in planted.items():
        ended = int((outcomes == end).sum())
        # three standard errors, from the information that so many ends carry
        error = 3 / math.sqrt(ended * 0.3 * 0.7)
        assert found[end, "flag"] == pytest.approx(of_flag, abs=error)
        assert found[end, "value"] == pytest.approx(of_value, abs=3 / math.sqrt(ended) / 4)
        assert found[end, "intercept"] == pytest.approx(constant, abs=9 / math.sqrt(ended))


def test_the_rows_score_as_the_model_does() -> None:
    generator = np.random.default_rng(1)
    size = 2_000
    table = _table(
        generator.choice([STAYED, *ENDS], size, p=[0.8, 0.05, 0.15]).tolist(),
        days=generator.integers(0, 28, size).tolist(),
        flag=(generator.random(size) < 0.5).tolist(),
        tier=generator.choice(["basic", "premium", "kids"], size).tolist(),
    )
    observations = Observations.of(table)
    model = fit_hazard(observations, 0.1)
    numbers = table.to_pydict()
    sums = {end: np.zeros(size) for end in ENDS}
    for row in model.rows():
        feature, category = row["feature"], row["category"]
        if feature == "intercept":
            values = np.ones(size)
        elif category == "(number)":
            values = np.array(numbers[feature], dtype=float)
        else:
            values = np.array([value == category for value in numbers[feature]], dtype=float)
        sums[row["outcome"]] += row["coefficient"] * values
    odds = {end: np.exp(each) for end, each in sums.items()}
    total = 1 + sum(odds.values())
    for end, of_end in model.probabilities(observations).items():
        assert of_end == pytest.approx(odds[end] / total, abs=1e-8)


def test_mean_contributions_are_those_of_where_it_was_fitted() -> None:
    observations = _repeated({("a", STAYED): 90, ("a", "voluntary"): 10, ("b", "voluntary"): 300})
    rows = [row for row in fit_hazard(observations, 1.0).rows() if row["feature"] == "tier"]
    by_category = {row["category"]: row for row in rows}
    assert by_category["a"]["mean_value"] == pytest.approx(0.25)
    expected = 0.25 * by_category["a"]["coefficient"] + 0.75 * by_category["b"]["coefficient"]
    assert by_category["a"]["mean_contribution"] == pytest.approx(expected, abs=1e-9)
    assert by_category["b"]["mean_contribution"] == pytest.approx(expected, abs=1e-9)


def test_a_category_never_seen_adds_nothing() -> None:
    seen = _repeated({("a", STAYED): 90, ("a", "voluntary"): 10})
    other = _repeated({("z", STAYED): 1})
    model = fit_hazard(seen, 1.0)
    odds = math.exp(model.intercepts[0])
    assert model.probabilities(other)["voluntary"] == pytest.approx(odds / (1 + odds))


def test_a_feature_that_is_the_same_for_all_explains_nothing() -> None:
    outcomes = [STAYED] * 90 + ["voluntary"] * 10
    model = fit_hazard(Observations.of(_table(outcomes, tickets=[3] * 100)), 1.0)
    assert model.coefficients[0, 0] == pytest.approx(0, abs=1e-9)
    assert all(math.isfinite(row["coefficient"]) for row in model.rows())


@pytest.mark.parametrize("outcomes", [[STAYED] * 5, ["voluntary"] * 5])
def test_of_one_outcome_there_is_nothing_to_fit(outcomes: list[str]) -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_hazard(Observations.of(_table(outcomes, tickets=[1, 2, 3, 4, 5])), 1.0)


def test_a_null_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="tickets"):
        Observations.of(_table([STAYED, "voluntary"], tickets=[1, None]))


def test_probabilities_hold_beyond_what_a_number_can() -> None:
    model = HazardModel(
        ends=("voluntary",),
        columns=(("days", None),),
        intercepts=np.array([0.0]),
        coefficients=np.array([[1000.0]]),
        means=np.array([0.0]),
    )
    observations = Observations.of(_table([STAYED], days=[10]))
    assert model.probabilities(observations)["voluntary"] == pytest.approx(1.0)
