"""What Superset imports is what the dbt project says, and its metrics are the semantic layer's."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dashboard.superset.assets import COMMITTED, PAGE_FILE, assets, stale, write
from dashboard.superset.charts import charts_and_dashboard
from dashboard.superset.datasets import database
from dashboard.superset.metric_sql import MetricExpressions
from orchestration.transform.manifest import Manifest

Page = dict[str, Any]

BRIDGE = """
    select * from (values
        (date '2025-01-01', 'basic', 8, 10, 5, 1, 2, 1, -3, -4, -1, true),
        (date '2025-01-01', 'premium', 25, 20, 0, 0, 0, 0, 0, -5, 0, true),
        (date '2025-02-01', 'basic', 10, 15, 5, 0, 0, 0, 0, 0, 0, true),
        (date '2025-04-01', 'basic', 15, 7, 0, 0, 0, 0, 0, -8, 0, false),
        (date '2025-04-01', 'premium', 0, 3, 3, 0, 0, 0, 0, 0, 0, false)
    ) as rows (
        month_start, plan_tier, opening_mrr_amount, closing_mrr_amount, new_mrr_amount,
        reactivation_mrr_amount, expansion_mrr_amount, resume_mrr_amount, contraction_mrr_amount,
        churn_mrr_amount, pause_mrr_amount, is_complete
    )
"""
CHURN = """
    select * from (values
        (date '2025-01-01', 'basic', 4, 1, true), (date '2025-01-01', 'premium', 1, 0, true),
        (date '2025-02-01', 'basic', 5, 2, true), (date '2025-03-01', 'basic', 5, 5, false)
    ) as rows (month_start, plan_tier, opening_subscribers, churned_from_opening, is_complete)
"""
RETENTION = """
    select * from (values
        (date '2025-01-01', 3, 10, 6), (date '2025-02-01', 3, 30, 24),
        (date '2025-02-01', 2, 30, 30), (date '2025-03-01', 3, 50, null)
    ) as rows (cohort_month, months_since_start, cohort_size, retained_subscribers)
"""
REVENUE = """
    select * from (values
        (date '2025-01-01', 10.0, true), (date '2025-02-01', 20.0, true),
        (date '2025-03-01', 90.0, false)
    ) as rows (month_start, average_paying_subscribers, is_complete)
"""


@pytest.fixture(scope="module")
def page() -> Page:
    content: Page = yaml.safe_load(PAGE_FILE.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def changed(manifest: Manifest) -> Manifest:
    """A manifest to change."""
    return Manifest(copy.deepcopy(manifest.content))


def _charts(page: Page) -> Iterator[Page]:
    return (chart for row in page["rows"] for chart in row["charts"])


def test_the_committed_files_are_what_the_project_says(manifest: Manifest) -> None:
    places = stale(assets(manifest), COMMITTED)
    assert places == [], "stale: run `make dashboard/superset/assets`"


def test_a_column_said_in_other_words_makes_its_dataset_stale(changed: Manifest) -> None:
    columns = changed.content["nodes"]["model.tenure.churn_monthly"]["columns"]
    columns["plan_tier"]["description"] = "In other words."
    assert stale(assets(changed), COMMITTED) == [Path("datasets/churn_monthly.yaml")]


def test_a_metric_made_of_something_else_makes_its_dataset_stale(changed: Manifest) -> None:
    parameters = changed.content["metrics"]["metric.tenure.arppu"]["type_params"]
    parameters["numerator"]["name"] = "recognised_revenue"
    assert stale(assets(changed), COMMITTED) == [Path("datasets/revenue_monthly.yaml")]


def test_a_file_too_many_is_stale_and_goes_when_all_are_written(
    manifest: Manifest, tmp_path: Path
) -> None:
    files = assets(manifest)
    write(files, tmp_path)
    left = Path("charts/gone.yaml")
    (tmp_path / left).write_text("version: 1.0.0\n", encoding="utf-8")
    assert stale(files, tmp_path) == [left]
    write(files, tmp_path)
    assert stale(files, tmp_path) == []


def test_every_mart_is_a_dataset_with_every_column_said(manifest: Manifest) -> None:
    files = assets(manifest)
    for mart in manifest.all_marts():
        dataset = yaml.safe_load(files[Path("datasets", f"{mart}.yaml")])
        assert dataset["description"], mart
        assert all(column["description"] for column in dataset["columns"]), mart


@pytest.mark.parametrize(
    ("metric", "rows", "group_by", "figures"),
    [
        # a level is that of the last month there is: 7 + 3 in April, in its quarter too
        ("closing_mrr", BRIDGE, "true", {True: 10}),
        ("closing_mrr", BRIDGE, "month(month_start)", {1: 30, 2: 15, 4: 10}),
        ("closing_mrr", BRIDGE, "quarter(month_start)", {1: 15, 2: 10}),
        ("closing_mrr", BRIDGE, "plan_tier", {"basic": 7, "premium": 3}),
        # and an opening that of the first: 8 + 25 in January
        ("opening_mrr", BRIDGE, "true", {True: 33}),
        ("opening_mrr", BRIDGE, "quarter(month_start)", {1: 33, 2: 15}),
        # January 5 + 1 + 2 + 1 - 3 - 4 - 1 = 1 and -5, February 5, April -8 + 3
        ("net_new_mrr", BRIDGE, "month(month_start)", {1: -4, 2: 5, 4: -5}),
        # (8 - 3 - 4 - 1 + 25 - 5 + 10) / (8 + 25 + 10), without the open April
        ("gross_mrr_retention", BRIDGE, "true", {True: 30 / 43}),
        # 1 + 0 + 2 of 4 + 1 + 5: neither a mean of rates nor with the open March, when all left
        ("churn_rate", CHURN, "true", {True: 0.3}),
        ("churn_rate", CHURN, "month(month_start)", {1: 0.2, 2: 0.4, 3: None}),
        ("average_paying_subscribers", REVENUE, "true", {True: 15}),
        # 6 + 24 of 10 + 30: not month 2, and not the cohort whose month 3 is not over
        ("retention_rate_month_3", RETENTION, "true", {True: 0.75}),
    ],
)
def test_a_metric_is_right_at_any_grain(
    manifest: Manifest, metric: str, rows: str, group_by: str, figures: dict[Any, float | None]
) -> None:
    expression = MetricExpressions(manifest).of(metric)
    with duckdb.connect() as connection:
        found = connection.execute(f"select {group_by}, {expression} from ({rows}) group by 1")
        assert dict(found.fetchall()) == pytest.approx(figures)


def test_a_ratio_of_nothing_is_null(manifest: Manifest) -> None:
    expression = MetricExpressions(manifest).of("churn_rate")
    with duckdb.connect() as connection:
        nobody = CHURN.replace("'basic', 5, 2", "'basic', 0, 0")
        found = connection.execute(
            f"select {expression} from ({nobody}) where month_start = date '2025-02-01'"
        )
        assert found.fetchall() == [(None,)]


def test_a_metric_that_is_no_single_aggregate_is_refused(changed: Manifest) -> None:
    changed.content["metrics"]["metric.tenure.churn_rate"]["type"] = "cumulative"
    with pytest.raises(ValueError, match="metric churn_rate: a cumulative metric"):
        MetricExpressions(changed).of("churn_rate")


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{{ Entity('plan_tier') }} = 'basic'", "a filter that is no dimension of its mart"),
        ("{{ Dimension('other_month__is_complete') }}", "no dimension"),
        ("{{ Dimension('churn_month__no_such') }}", "no dimension"),
    ],
)
def test_a_filter_by_what_the_mart_does_not_have_is_refused(
    changed: Manifest, condition: str, told: str
) -> None:
    metric = changed.content["metrics"]["metric.tenure.churned_from_opening"]
    metric["filter"] = {"where_filters": [{"where_sql_template": condition}]}
    with pytest.raises(ValueError, match=f"metric churned_from_opening: {told}"):
        MetricExpressions(changed).of("churn_rate")


def test_a_figure_of_another_time_is_refused(changed: Manifest) -> None:
    parameters = changed.content["metrics"]["metric.tenure.churn_rate"]["type_params"]
    parameters["denominator"]["offset_window"] = {"count": 1, "granularity": "month"}
    with pytest.raises(ValueError, match="metric churn_rate: opening_subscriber_months of another"):
        MetricExpressions(changed).of("churn_rate")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("mart", "no_such_mart", "no mart no_such_mart"),
        ("metrics", ["no_such_metric"], "has no no_such_metric"),
        ("metrics", [{"label": "Odd", "sum": "no_such_column"}], "has no no_such_column"),
        ("metrics", [{"label": "Odd", "ratio": ["arppu", "churn_rate"]}], "has no arppu"),
        ("by", ["no_such_column"], "has no no_such_column"),
        ("time", "device_type", "device_type is no time"),
        ("viz", "no_such_form", "no form for no_such_form"),
    ],
)
def test_a_chart_of_what_is_not_there_is_refused(
    manifest: Manifest, page: Page, field: str, value: object, told: str
) -> None:
    page = copy.deepcopy(page)
    (chart,) = [each for each in _charts(page) if each["title"] == "Rebuffer ratio by device"]
    chart[field] = value
    with pytest.raises(ValueError, match="chart Rebuffer ratio by device: ") as refused:
        charts_and_dashboard(manifest, page)
    assert told in str(refused.value)


def test_two_charts_of_one_title_are_refused(manifest: Manifest, page: Page) -> None:
    page = copy.deepcopy(page)
    for chart in _charts(page):
        chart["title"] = "The same"
    with pytest.raises(ValueError, match="one title"):
        charts_and_dashboard(manifest, page)


def test_a_filter_leaves_alone_the_charts_that_it_says_nothing_of(
    manifest: Manifest, page: Page
) -> None:
    dashboard = charts_and_dashboard(manifest, page)[Path("dashboards/tenure.yaml")]
    titles = {
        place["meta"]["chartId"]: place["meta"]["sliceName"]
        for place in dashboard["position"].values()
        if isinstance(place, dict) and place["type"] == "CHART"
    }
    filters = {
        each["name"]: {titles[number] for number in each["scope"]["excluded"]}
        for each in dashboard["metadata"]["native_filter_configuration"]
    }
    # a cohort never moves by what its members became
    assert "Retention by cohort" in filters["Plan tier"]
    assert "MRR" not in filters["Plan tier"]
    assert filters["Time"] == {
        "Retention by cohort",
        "Lifetime value against its cost, by channel",
        "Titles by hours watched",
    }


def test_rows_of_the_dashboard_are_full(manifest: Manifest, page: Page) -> None:
    position = charts_and_dashboard(manifest, page)[Path("dashboards/tenure.yaml")]["position"]
    rows = [place for name, place in position.items() if name.startswith("ROW-")]
    assert len(rows) == len(page["rows"])
    for row in rows:
        assert sum(position[child]["meta"]["width"] for child in row["children"]) == 12


def test_the_connection_reads_only_and_knows_its_file() -> None:
    connection = database(Path("/srv/my releases/tenure.duckdb"))
    assert connection["sqlalchemy_uri"] == (
        "duckdb:////srv/my releases/tenure.duckdb?access_mode=read_only"
    )
    with pytest.raises(ValueError, match="question mark"):
        database(Path("/srv/what?/tenure.duckdb"))
