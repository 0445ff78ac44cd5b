"""Segments of a simulated service tell who leaves, in a month that they were not chosen in.

Best and worst segment are those of all months but the last one whose churn is known; that last one
judges them. Chosen and judged in one month, some pair of segments would always look good.
"""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from scipy.stats import binomtest

from simulator import simulate
from tests.definitions.reference import Settings
from tests.selected_models import build_selected

# fewer in the judging month, or subscriber-months before it, say nothing either way
LEAST_JUDGED = 100
LEAST_DRAWN = 1000


@pytest.fixture(scope="module")
def build_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The segments' churn in a service of 20,000 subscribers."""
    folder = tmp_path_factory.mktemp("segments")
    simulate(
        subscribers=20000,
        months=36,
        seed=7,
        out=folder / "raw",
        plays_per_month=9.0,
        dirt=False,
        end=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return build_selected(folder / "raw", folder / "warehouse", Settings(), "segment_churn_monthly")


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
