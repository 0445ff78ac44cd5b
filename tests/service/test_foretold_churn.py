"""What tells who leaves a simulated service, in a month that it was not drawn from.

Best and worst segment are those of all months but the last one whose churn is known; that last one
judges them. Chosen and judged in one month, some pair of segments would always look good. The risk
model is judged likewise, by its own scorecard.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy.stats import binomtest

from fitting.hazard import HazardModel, Observations
from orchestration.assets.fits import run_fit
from orchestration.database.bookkeeping import Landing, note_landing
from orchestration.database.warehouse import Warehouse
from orchestration.transform.manifest import Manifest
from simulator import simulate
from tests.definitions.reference import Settings
from tests.selected_models import build_again, build_selected

# fewer in the judging month, or subscriber-months before it, say nothing either way
LEAST_JUDGED = 100
LEAST_DRAWN = 1000


@pytest.fixture(scope="module")
def build_file(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The segments' churn and the risk to leave in a service of 20,000 subscribers."""
    folder = tmp_path_factory.mktemp("foretold")
    simulate(
        subscribers=20000,
        months=36,
        seed=7,
        out=folder / "raw",
        plays_per_month=9.0,
        dirt=False,
        end=datetime(2026, 1, 1, tzinfo=UTC),
    )
    warehouse = folder / "warehouse"
    models = ("segment_churn_monthly", "int_risk__training_observations", "churn_risk")
    build = build_selected(folder / "raw", warehouse, Settings(), *models)
    with duckdb.connect(str(build)) as connection:
        note_landing(connection, Landing("", 0, 0, {}, datetime.now(UTC)))
    run_fit(Warehouse(warehouse), manifest, "risk")
    build_again(
        warehouse, Settings(), "source:fitted+,+churn_risk", "source:fitted+,+int_risk__gates"
    )
    return build


@pytest.mark.parametrize("segmentation", ["lifecycle_stage", "engagement_tier"])
def test_the_worst_segment_loses_twice_as_many_as_the_best(
    build_file: Path, segmentation: str
) -> None:
    with duckdb.connect(str(build_file), read_only=True) as connection:
        drawn = connection.execute(
            """
            with known as (
                select *, month_start = max(month_start) over () as is_last
                from marts.segment_churn_monthly
                where segmentation = ?
            )

            select
                segment,
                sum(churned_next_month) filter (where is_last),
                sum(subscribers) filter (where is_last)
            from known
            group by segment
            having
                sum(subscribers) filter (where is_last) >= ?
                and sum(subscribers) filter (where not is_last) >= ?
            order by
                sum(churned_next_month) filter (where not is_last)
                / sum(subscribers) filter (where not is_last)
            """,
            [segmentation, LEAST_JUDGED, LEAST_DRAWN],
        ).fetchall()
    assert len(drawn) >= 2
    (best, *best_counts), (worst, *worst_counts) = drawn[0], drawn[-1]
    best_test = binomtest(*map(int, best_counts))
    worst_test = binomtest(*map(int, worst_counts))
    assert worst_test.statistic >= 2 * best_test.statistic, (best, worst)
    assert (
        worst_test.proportion_ci(method="wilson").low
        > best_test.proportion_ci(method="wilson").high
    ), (best, worst)


def test_the_intervals_are_those_of_scipy(build_file: Path) -> None:
    with duckdb.connect(str(build_file), read_only=True) as connection:
        rows = connection.execute(
            "select churned_next_month, subscribers, ci_lower, ci_upper"
            " from marts.segment_churn_monthly"
        ).fetchall()
    assert rows
    for churned, subscribers, lower, upper in rows:
        expected = binomtest(churned, subscribers).proportion_ci(method="wilson")
        assert (lower, upper) == pytest.approx((expected.low, expected.high), abs=1e-12)


def _scores(build_file: Path) -> Mapping[tuple[str, str, str], dict[str, Any]]:
    with duckdb.connect(str(build_file), read_only=True) as connection:
        rows = connection.execute("select * from fitted.risk_scores").to_arrow_table().to_pylist()
    return {(row["part"], row["outcome"], row["predictor"]): row for row in rows}


def test_the_risk_model_passes_its_gates(build_file: Path) -> None:
    test = _scores(build_file)["test", "ended", "model"]
    assert test["log_loss"] < test["base_rate_log_loss"]
    assert test["calibration_error"] < 0.02
    assert test["shuffled_auc"] == pytest.approx(0.5, abs=0.02)
    assert test["auc"] < 0.95
    with duckdb.connect(str(build_file), read_only=True) as connection:
        gates = connection.execute("select gate, is_passed from intermediate.int_risk__gates")
        passed = dict(gates.fetchall())
    assert len(passed) == 4
    assert all(passed.values()), passed


def test_the_risk_model_knows_more_than_one_line(build_file: Path) -> None:
    scores = _scores(build_file)
    for outcome in ("ended", "voluntary", "involuntary"):
        model, rule = (scores["test", outcome, name] for name in ("model", "rule"))
        assert model["auc"] > rule["auc"], outcome
        assert model["log_loss"] < rule["log_loss"], outcome
    assert scores["test", "ended", "model"]["lift_at_10_percent"] > 2


def test_viewing_tells_voluntary_ends_and_not_involuntary_ones(build_file: Path) -> None:
    # it was planted to fall before the one and not before the other
    with duckdb.connect(str(build_file), read_only=True) as connection:
        rows = connection.execute(
            "select outcome, sum(coefficient) from fitted.risk_coefficients"
            " where feature in ('viewing_days', 'viewing_days_change') group by outcome"
        ).fetchall()
    slopes = dict(rows)
    assert slopes["voluntary"] < -0.1
    assert abs(slopes["involuntary"]) < abs(slopes["voluntary"]) / 3


def test_sql_scores_as_the_fitted_model_does(build_file: Path) -> None:
    with duckdb.connect(str(build_file), read_only=True) as connection:
        coefficients = connection.execute(
            "select * from fitted.risk_coefficients order by outcome, feature, category"
        ).to_arrow_table()
        features = connection.execute(
            "select * exclude (subscriber_id, is_current, tenure_days)"
            " replace ('stayed' as outcome)"
            " from intermediate.int_risk__features where is_current order by subscriber_id"
        ).to_arrow_table()
        table = connection.execute(
            "select voluntary_probability, involuntary_probability, other_probability,"
            " end_probability from marts.churn_risk order by subscriber_id"
        ).to_arrow_table()
    scored = {name: np.array(table.column(name)) for name in table.column_names}
    probabilities = _model(coefficients.to_pylist()).probabilities(Observations.of(features))
    assert features.num_rows > 5000
    for outcome, expected in probabilities.items():
        found = scored[f"{outcome}_probability"]
        # each of some 40 contributions is rounded to nine places
        assert np.abs(found - expected).max() < 1e-7
    total = sum(probabilities.values())
    assert np.abs(scored["end_probability"] - total).max() < 1e-7


def _model(rows: list[dict[str, Any]]) -> HazardModel:
    ends = tuple(sorted({row["outcome"] for row in rows}))
    features = [row for row in rows if row["feature"] != "intercept"]
    columns = tuple(sorted({(row["feature"], row["category"]) for row in features}))
    by_key = {(row["outcome"], row["feature"], row["category"]): row for row in rows}
    return HazardModel(
        ends=ends,
        columns=tuple(
            (feature, None if category == "(number)" else category) for feature, category in columns
        ),
        intercepts=np.array([by_key[end, "intercept", "(number)"]["coefficient"] for end in ends]),
        coefficients=np.array(
            [[by_key[end, *column]["coefficient"] for column in columns] for end in ends]
        ),
        means=np.array([by_key[ends[0], *column]["mean_value"] for column in columns]),
    )
