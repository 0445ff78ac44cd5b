"""`tenure metrics`: what it prints, and what it says of what can't be asked."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from orchestration.database.warehouse import Warehouse
from orchestration.errors import DamagedError, InputError
from orchestration.metrics.queries import SEMANTIC_MANIFEST, MetricLayer, print_metrics
from tests.metrics.conftest import Ask

Told = Callable[..., str]

CHURN = """
month_start,plan_tier,opening_subscribers,churned_from_opening,is_complete
2026-05-01,basic,100,10,true
2026-06-01,basic,100,8,true
"""


@pytest.fixture
def told(release_file: Path, parsed_warehouse: Warehouse) -> Told:
    """What is printed of the hand-written release."""
    place = Warehouse(release_file.parent)
    place.dbt_dir.symlink_to(parsed_warehouse.dbt_dir)

    def print_to_text(
        *metrics: str, by: tuple[str, ...] = (), only_sql: bool = False, where: tuple[str, ...] = ()
    ) -> str:
        console = Console(file=StringIO(), width=300)
        print_metrics(console, place, metrics, by=by, where=where, only_sql=only_sql)
        return console.file.getvalue()  # type: ignore[attr-defined]

    return print_to_text


def test_figures_are_printed_by_what_was_asked(
    fill: Callable[[str, str], None], told: Told, layer: MetricLayer
) -> None:
    fill("churn_monthly", CHURN)
    lines = [line.split() for line in told("churn_rate", by=("metric_time__month",)).splitlines()]
    assert lines == [
        ["metric_time__month", "churn_rate"],
        ["2026-05-01", "0.1000"],
        ["2026-06-01", "0.0800"],
    ]


def test_without_a_name_all_metrics_are_listed(told: Told, layer: MetricLayer) -> None:
    listed = told()
    assert "churn_rate" in listed
    assert "plan_tier" in listed
    assert "opening_subscriber_months" not in listed


def test_the_query_is_shown_and_not_asked(
    told: Told, layer: MetricLayer, release_file: Path
) -> None:
    query = told("churn_rate", only_sql=True)
    assert "SELECT" in query
    assert '"marts"."churn_monthly"' in query
    # whatever the reader's tool calls the release
    with duckdb.connect(str(release_file), read_only=True) as connection:
        assert len(connection.execute(query).fetchall()) == 1


@pytest.mark.parametrize(
    ("metrics", "by", "named"),
    [
        (("churn_ratio",), (), "churn_rate"),
        (("churn_rate",), ("plan",), "plan_tier"),
        (("rebuffer_ratio",), ("plan_tier",), "rebuffer"),
    ],
)
def test_what_cannot_be_asked_is_said(
    told: Told, layer: MetricLayer, metrics: tuple[str, ...], by: tuple[str, ...], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        told(*metrics, by=by)


@pytest.mark.parametrize(
    "condition",
    ["no_such_column = 1", "{{ Entity('plan_tier')", "{{ nope", "1 = ", "error('boo')"],
)
def test_a_condition_that_is_none(
    fill: Callable[[str, str], None], told: Told, layer: MetricLayer, condition: str
) -> None:
    fill("churn_monthly", CHURN)
    with pytest.raises(InputError) as refused:
        told("churn_rate", where=(condition,))
    assert "Traceback" not in str(refused.value)


def test_a_warehouse_without_a_release(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tenure run"):
        print_metrics(
            Console(), Warehouse(tmp_path), ["churn_rate"], by=(), where=(), only_sql=False
        )


def test_what_is_asked_of_no_metric_is_told(tmp_path: Path) -> None:
    place = Warehouse(tmp_path)
    place.prepare()
    for path in (place.release_file, place.dbt_dir / SEMANTIC_MANIFEST):
        path.touch()
    with pytest.raises(InputError, match="no metric is named"):
        print_metrics(Console(), place, [], by=("plan_tier",), where=(), only_sql=False)


def test_a_damaged_manifest_is_told(tmp_path: Path) -> None:
    place = Warehouse(tmp_path)
    place.prepare()
    place.release_file.touch()
    for name in ("manifest.json", SEMANTIC_MANIFEST):
        (place.dbt_dir / name).write_text('{"nodes": ')
    for metrics in ([], ["churn_rate"]):
        with pytest.raises(DamagedError, match=r"manifest\.json is damaged: the next run makes it"):
            print_metrics(Console(), place, metrics, by=(), where=(), only_sql=False)


def test_the_release_is_only_read(asked: Ask, release_file: Path) -> None:
    before = release_file.read_bytes()
    asked("churn_rate")
    assert release_file.read_bytes() == before
