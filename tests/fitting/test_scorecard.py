"""The trial of a hazard model on months that it has not seen."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fitting.hazard import STAYED
from fitting.scorecard import calibration_error, fit_risk, measures

# a month of labels and probabilities that can be judged by hand
LABELS = np.array([True, False, True, False, False, False, False, False, False, False])
PREDICTED = np.array([0.9, 0.8, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05])


def _months(
    months: int, size: int, *, effect: float = 1.0, constant: float = -3.0, seed: int = 3
) -> pa.Table:
    """So many months of subscribers, of whom those without a viewing day leave more often."""
    generator = np.random.default_rng(seed)
    total = months * size
    month = np.repeat(np.arange(months), size)
    dates = [dt.date(2024 + int(each) // 12, int(each) % 12 + 1, 1) for each in month]
    idle = generator.random(total) < 0.3
    probability = 1 / (1 + np.exp(-(constant + effect * idle)))
    ended = generator.random(total) < probability
    involuntary = generator.random(total) < 0.2
    outcomes = np.where(ended, np.where(involuntary, "involuntary", "voluntary"), STAYED)
    nothing = np.zeros(total, dtype=bool)
    return pa.table(
        {
            "observation_date": dates,
            "outcome": outcomes.tolist(),
            "has_not_watched": idle,
            "is_cancel_requested": nothing,
            "is_past_due": nothing,
            "noise": generator.normal(size=total),
        }
    )


def _score(made: dict[str, list[dict[str, Any]]], **wanted: str) -> dict[str, Any]:
    (row,) = [
        row
        for row in made["risk_scores"]
        if all(row[name] == value for name, value in wanted.items())
    ]
    return row


def test_the_measures_by_hand() -> None:
    found = measures(LABELS, PREDICTED, base_rate=0.2)
    # of 2 times 8 pairs the one at 0.9 wins 8, the one at 0.4 loses to 0.8 and wins 7
    assert found["auc"] == pytest.approx(15 / 16)
    # precision 1 of 1 at the first, 2 of 3 at the second
    assert found["pr_auc"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["brier_score"] == pytest.approx(
        (0.1**2 + 0.8**2 + 0.6**2 + 0.3**2 + 0.2**2 + 3 * 0.1**2 + 2 * 0.05**2) / 10
    )
    staying = (0.2, 0.7, 0.8, 0.9, 0.9, 0.9, 0.95, 0.95)
    expected = -(math.log(0.9) + math.log(0.4) + sum(map(math.log, staying))) / 10
    assert found["log_loss"] == pytest.approx(expected)
    assert found["base_rate_log_loss"] == pytest.approx(
        -(2 * math.log(0.2) + 8 * math.log(0.8)) / 10
    )
    # the tenth at the highest risk is one of two who ended: 1 ÷ 0.2
    assert found["lift_at_10_percent"] == pytest.approx(5)
    assert found["recall_at_10_percent"] == pytest.approx(0.5)


def test_equal_probabilities_at_the_edge_of_the_tenth_count_on_average() -> None:
    labels = np.array([True] + [False] * 19)
    found = measures(labels, np.full(20, 0.05), base_rate=0.05)
    assert found["recall_at_10_percent"] == pytest.approx(0.1)
    assert found["lift_at_10_percent"] == pytest.approx(1)
    assert found["auc"] == pytest.approx(0.5)


def test_calibration_error_by_hand() -> None:
    # ten bins of two: in the first nobody of 0.1 ends, in the last both of 0.6, else all is right
    predicted = np.repeat([0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.6], 2)
    labels = np.repeat([False] * 9 + [True], 2)
    assert calibration_error(labels, predicted, bins=10) == pytest.approx((0.2 + 0.8) / 20)
    # of one bin only the sums count: 1.4 foretold, 2 ended
    assert calibration_error(labels, predicted, bins=1) == pytest.approx(0.6 / 20)


def test_a_measure_that_needs_both_outcomes_is_none_without() -> None:
    found = measures(np.zeros(10, dtype=bool), PREDICTED, base_rate=0.1)
    assert found["auc"] is None
    assert found["pr_auc"] is None
    assert found["lift_at_10_percent"] is None
    assert found["log_loss"] is not None


def test_train_gap_validation_gap_test() -> None:
    made = fit_risk(_months(8, 400))
    validation = _score(made, part="validation", outcome="ended", predictor="model")
    test = _score(made, part="test", outcome="ended", predictor="model")
    assert validation["first_learned_date"] == dt.date(2024, 1, 1)
    assert validation["last_learned_date"] == dt.date(2024, 4, 1)
    assert validation["observation_date"] == dt.date(2024, 6, 1)
    assert test["last_learned_date"] == dt.date(2024, 6, 1)
    assert test["observation_date"] == dt.date(2024, 8, 1)


def test_a_model_that_knows_something_beats_the_base_rate_and_is_calibrated() -> None:
    made = fit_risk(_months(8, 3000))
    found = _score(made, part="test", outcome="ended", predictor="model")
    assert found["log_loss"] < found["base_rate_log_loss"]
    assert found["calibration_error"] < 0.02
    assert abs(found["shuffled_auc"] - 0.5) < 0.02
    # of two groups the AUC is known: the share of pairs that the flag orders, ties by half
    leaving = np.array([1 / (1 + math.exp(3)), 1 / (1 + math.exp(2))])
    sizes = np.array([0.7, 0.3])
    ended, stayed = sizes * leaving, sizes * (1 - leaving)
    ended, stayed = ended / ended.sum(), stayed / stayed.sum()
    expected = ended[1] * stayed[0] + 0.5 * (ended * stayed).sum()
    # within three standard errors, each about the root of 1 in 12 times the 200 that ended
    assert found["auc"] == pytest.approx(expected, abs=3 / math.sqrt(12 * found["ended"]))
    coefficients = {
        (row["outcome"], row["feature"]): row["coefficient"] for row in made["risk_coefficients"]
    }
    assert coefficients["voluntary", "has_not_watched"] == pytest.approx(1.0, abs=0.2)


def test_noise_does_not_beat_the_base_rate_by_much_and_a_leak_shows() -> None:
    noise = fit_risk(_months(8, 1500, effect=0.0))
    found = _score(noise, part="test", outcome="ended", predictor="model")
    assert found["auc"] == pytest.approx(0.5, abs=0.08)
    leaking = _months(8, 1500)
    told = pa.array([outcome != STAYED for outcome in leaking["outcome"].to_pylist()])
    leak = fit_risk(leaking.append_column("told", told))
    assert _score(leak, part="test", outcome="ended", predictor="model")["auc"] > 0.95


def test_the_rule_has_the_shares_that_it_learned() -> None:
    made = fit_risk(_months(8, 3000))
    rule = _score(made, part="test", outcome="ended", predictor="rule")
    model = _score(made, part="test", outcome="ended", predictor="model")
    assert rule["ended"] == model["ended"]
    # the flag is all there is to know, so the rule knows as much
    assert rule["log_loss"] == pytest.approx(model["log_loss"], rel=0.01)
    assert rule["shuffled_auc"] is None


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (_months(0, 1), "0 months"),
        (_months(4, 500), "4 months"),
        (_months(6, 100, constant=-30), "0 ended"),
        (_months(6, 30), "to learn from"),
        (_months(6, 500, constant=30), "none stayed"),
    ],
)
def test_with_too_little_there_is_a_reason_and_nothing_else(table: pa.Table, reason: str) -> None:
    made = fit_risk(table)
    assert made["risk_coefficients"] == []
    assert made["risk_scores"] == []
    (fit,) = made["risk_fits"]
    assert reason in fit["reason"]
    assert fit["observations"] == table.num_rows


def test_the_same_observations_give_the_same_rows() -> None:
    table = _months(7, 800)
    assert fit_risk(table) == fit_risk(table)
