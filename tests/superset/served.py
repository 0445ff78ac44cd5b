"""What Superset shows of a release is what the marts hold.

A Superset from its own environment, in a temporary folder: its command line imports what we write,
its REST API answers. Run by `make test-superset`; the file's name keeps it out of `make test`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard.superset.assets import assets, write
from dashboard.superset.datasets import asset_uuid
from orchestration.database.warehouse import Warehouse
from orchestration.metrics.catalogue import metric_marts
from orchestration.metrics.queries import SEMANTIC_MANIFEST, MetricLayer, ask
from orchestration.transform.manifest import MARTS_SCHEMA, Manifest, NodeProperties
from simulator.service import simulate
from tests.conftest import RunPipeline
from tests.superset.server import SUPERSET, Client, Superset

# in the middle of a month, so that there is an open one
AS_OF = "2025-12-15T00:00:00Z"
OPEN_MONTH = date(2025, 12, 1)
LAST_COMPLETE_MONTH = date(2025, 11, 1)

Key = tuple[Any, ...]


@dataclass(frozen=True)
class World:
    """A release, Superset with it imported, and a client of the running server."""

    warehouse: Warehouse
    release: Path
    manifest: Manifest
    superset: Superset
    folder: Path
    client: Client

    def marts(self, query: str) -> list[Key]:
        """What the released file answers by plain SQL."""
        with duckdb.connect(str(self.release), read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def world(run_pipeline: RunPipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assert SUPERSET.exists(), "no Superset: run `make superset`"
    raw = tmp_path_factory.mktemp("raw") / "raw"
    simulate(subscribers=400, months=14, seed=3, out=raw)
    warehouse = run_pipeline(raw, as_of=AS_OF)
    manifest = Manifest.read(warehouse.dbt_dir / "manifest.json")
    # a file of its own, which a test puts another in place of
    release = tmp_path_factory.mktemp("a place of releases") / "tenure.duckdb"
    shutil.copy(warehouse.root / "tenure.duckdb", release)
    superset = Superset(tmp_path_factory.mktemp("superset"))
    superset.prepare()
    folder = tmp_path_factory.mktemp("assets")
    write(assets(manifest, release=release), folder)
    superset.run("import-directory", "--overwrite", str(folder))
    with superset.served() as client:
        yield World(warehouse, release, manifest, superset, folder, client)


def _mart_nodes(manifest: Manifest) -> list[NodeProperties]:
    return [node for node in manifest.models() if node["schema"] == MARTS_SCHEMA]


def _dataset(mart: str) -> str:
    return str(asset_uuid("dataset", mart))


def _with_days(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    """The rows with a day where the API has milliseconds since 1970."""
    return [
        {**row, **{name: datetime.fromtimestamp(row[name] / 1000, UTC).date() for name in columns}}
        for row in rows
    ]


def _value(cell: Any) -> Any:  # noqa: ANN401
    """A cell as it can be compared: days as days, amounts as floats."""
    if isinstance(cell, datetime):
        return cell.date()
    return float(cell) if isinstance(cell, Decimal) else cell


def _series(rows: list[dict[str, Any]], keys: list[str], figure: str) -> dict[Key, Any]:
    return {tuple(row[key] for key in keys): row[figure] for row in rows}


def _approximately(held: list[Key]) -> dict[Key, Any]:
    """Rows of plain SQL, the figure last, to hold others against; nulls are kept."""
    return {
        tuple(_value(cell) for cell in row[:-1]): (
            None if row[-1] is None else pytest.approx(float(row[-1]), rel=1e-9, abs=1e-9)
        )
        for row in held
    }


def test_everything_is_imported(world: World) -> None:
    names = {each["table_name"] for each in world.client.listed("dataset")}
    assert names == set(world.manifest.all_marts())
    (dashboard,) = world.client.listed("dashboard")
    assert dashboard["dashboard_title"] == "Tenure"
    assert dashboard["published"]
    shown = {each["slice_name"] for each in world.client.one("dashboard/tenure/charts")}
    assert shown == {each["slice_name"] for each in world.client.listed("chart")}
    assert len(shown) == len(list((world.folder / "charts").iterdir()))


def test_columns_say_what_the_docs_say(world: World) -> None:
    numbers = {each["table_name"]: each["id"] for each in world.client.listed("dataset")}
    for node in _mart_nodes(world.manifest):
        dataset = world.client.one(f"dataset/{numbers[node['alias']]}")
        assert dataset["description"] == " ".join(node["description"].split())
        said = {each["column_name"]: each["description"] for each in dataset["columns"]}
        assert said == {
            name: " ".join(column["description"].split())
            for name, column in node["columns"].items()
        }


def test_every_mart_can_be_read(world: World) -> None:
    for mart in world.manifest.all_marts():
        ((rows,),) = world.marts(f"select count(*) from marts.{mart}")
        assert world.client.ask(_dataset(mart), ["row_count"]) == [{"row_count": rows}], mart


def test_every_chart_answers(world: World) -> None:
    for chart in world.client.listed("chart"):
        rows = world.client.data(world.client.chart_query(chart["slice_name"]))
        assert rows, chart["slice_name"]


@pytest.mark.parametrize(
    ("title", "metric", "query"),
    [
        (
            "MRR",
            "closing_mrr",
            "select month_start, sum(closing_mrr_amount) from marts.mrr_bridge_monthly"
            " where is_complete group by month_start",
        ),
        (
            "Subscribers",
            "closing_subscribers",
            "select month_start, sum(closing_subscribers) from marts.churn_monthly"
            " where is_complete group by month_start",
        ),
        (
            "Churn rate",
            "churn_rate",
            "select month_start, sum(churned_from_opening) / nullif(sum(opening_subscribers), 0)"
            " from marts.churn_monthly where is_complete group by month_start",
        ),
        (
            "Churn rate by cause",
            "involuntary_churn_rate",
            "select month_start,"
            " sum(involuntary_churned_subscribers) / nullif(sum(opening_subscribers), 0)"
            " from marts.churn_monthly where is_complete group by month_start",
        ),
        (
            "ARPPU",
            "arppu",
            "select month_start, net_revenue_amount / average_paying_subscribers"
            " from marts.revenue_monthly where is_complete",
        ),
        (
            "Hours a paying subscriber",
            "hours_per_paying_subscriber",
            "select month_start, watched_hours_per_paying_subscriber"
            " from marts.engagement_monthly where is_complete and stratum = 'overall'",
        ),
        (
            "Stickiness",
            "stickiness",
            "select month_start, stickiness_rate"
            " from marts.engagement_monthly where is_complete and stratum = 'overall'",
        ),
    ],
)
def test_a_figure_by_month_is_the_mart_s(world: World, title: str, metric: str, query: str) -> None:
    rows = _with_days(world.client.data(world.client.chart_query(title)), "month_start")
    assert _series(rows, ["month_start"], metric) == _approximately(world.marts(query))
    # the last of them is what the dashboard shows large
    assert max(row["month_start"] for row in rows) == LAST_COMPLETE_MONTH


def test_movements_add_up_to_the_change_of_mrr(world: World) -> None:
    query = world.client.chart_query("MRR movements by month")
    rows = _with_days(world.client.data(query), "month_start")
    categories = [name for name in rows[0] if name != "month_start"]
    assert len(categories) == 8
    told = {(row["month_start"],): sum(row[name] for name in categories) for row in rows}
    held = world.marts(
        "select month_start, sum(closing_mrr_amount) - sum(opening_mrr_amount)"
        " from marts.mrr_bridge_monthly group by month_start"
    )
    assert told == _approximately(held)
    assert (OPEN_MONTH,) in told
    churned = world.marts(
        "select month_start, sum(mrr_change_amount) from marts.fct_mrr_movements"
        " where category = 'churn' group by month_start"
    )
    lost = {
        key: value for key, value in _series(rows, ["month_start"], "churn_mrr").items() if value
    }
    assert lost == _approximately([row for row in churned if row[-1]])


def test_churn_by_type_is_that_of_the_events(world: World) -> None:
    query = world.client.chart_query("Churned subscribers by type")
    rows = _with_days(world.client.data(query), "month_start")
    told = {
        (row["month_start"], kind.lower()): row[kind]
        for row in rows
        for kind in ("Voluntary", "Involuntary", "Other")
        if row[kind]
    }
    held = world.marts(
        "select date_trunc('month', churned_at)::date, churn_type, count(*)"
        " from marts.fct_churn_events group by all"
    )
    assert len({kind for _, kind in told}) >= 2
    assert told == {(month, kind): count for month, kind, count in held}


def test_a_metric_by_tier_is_the_mart_s(world: World) -> None:
    by = ["month_start", "plan_tier"]
    rows = world.client.ask(_dataset("churn_monthly"), ["churn_rate"], by=by, where="is_complete")
    held = world.marts(
        "select month_start, plan_tier,"
        " sum(churned_from_opening) / nullif(sum(opening_subscribers), 0)"
        " from marts.churn_monthly where is_complete group by all"
    )
    assert _series(_with_days(rows, "month_start"), by, "churn_rate") == _approximately(held)


def test_retention_is_the_mart_s_and_empty_where_a_month_is_not_over(world: World) -> None:
    rows = world.client.data(world.client.chart_query("Retention by cohort"))
    held = world.marts(
        "select strftime(cohort_month, '%Y-%m'), months_since_start, retention_rate"
        " from marts.retention_cohorts where retention_rate is not null"
    )
    ((all_cells,),) = world.marts("select count(*) from marts.retention_cohorts")
    assert len(held) < all_cells
    assert _series(rows, ["cohort", "months_since_start"], "retention") == _approximately(held)


def test_every_metric_is_what_the_semantic_layer_answers(world: World) -> None:
    layer = MetricLayer(world.warehouse.dbt_dir / SEMANTIC_MANIFEST)
    compared = 0
    for mart in metric_marts(world.manifest):
        names = [metric.name for metric in mart.metrics]
        rows = world.client.ask(_dataset(mart.name), names, by=[mart.time_dimension])
        rows = _with_days(rows, mart.time_dimension)
        for name in names:
            answer = ask(world.release, layer, [name], by=["metric_time__month"])
            # where a filter leaves nothing the layer has no row, and Superset a null
            held = [row for row in answer.rows if row[-1] is not None]
            told = {
                key: value
                for key, value in _series(rows, [mart.time_dimension], name).items()
                if value is not None and not math.isnan(value)
            }
            assert told == _approximately(held), name
            compared += len(told)
    assert compared > 500


def test_a_filter_of_the_dashboard_reaches_the_figures(world: World) -> None:
    query = world.client.chart_query("Subscribers")
    query["queries"][0]["filters"] = [
        {"col": "plan_tier", "op": "IN", "val": ["basic"]},
        {"col": "month_start", "op": "TEMPORAL_RANGE", "val": "2025-03-01 : 2025-06-01"},
    ]
    rows = _with_days(world.client.data(query), "month_start")
    held = world.marts(
        "select month_start, sum(closing_subscribers) from marts.churn_monthly"
        " where plan_tier = 'basic' and month_start in ('2025-03-01', '2025-04-01', '2025-05-01')"
        " group by month_start"
    )
    assert len(held) == 3
    assert _series(rows, ["month_start"], "closing_subscribers") == _approximately(held)


def test_the_connection_reads_only_and_no_other_file(world: World) -> None:
    settings = [
        {"expressionType": "SQL", "sqlExpression": f"MAX(CURRENT_SETTING('{name}'))", "label": name}
        for name in ("access_mode", "enable_external_access", "lock_configuration")
    ]
    (row,) = world.client.ask(_dataset("dim_plans"), settings)
    assert {name: str(value).lower() for name, value in row.items()} == {
        "access_mode": "read_only",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }


def test_a_second_import_replaces_and_doubles_nothing(world: World) -> None:
    kinds = ("database", "dataset", "chart", "dashboard")
    before = {kind: {each["id"] for each in world.client.listed(kind)} for kind in kinds}
    chart = world.folder / "charts" / "mrr.yaml"
    text = chart.read_text(encoding="utf-8")
    assert "slice_name: MRR\n" in text
    try:
        chart.write_text(text.replace("slice_name: MRR\n", "slice_name: Other\n"), encoding="utf-8")
        world.superset.run("import-directory", "--overwrite", str(world.folder))
        assert "Other" in {each["slice_name"] for each in world.client.listed("chart")}
    finally:
        chart.write_text(text, encoding="utf-8")
        world.superset.run("import-directory", "--overwrite", str(world.folder))
    assert "Other" not in {each["slice_name"] for each in world.client.listed("chart")}
    assert before == {kind: {each["id"] for each in world.client.listed(kind)} for kind in kinds}


def test_a_new_release_is_seen_without_a_restart(world: World, tmp_path: Path) -> None:
    query = world.client.chart_query("MRR")
    before = {row["month_start"]: row["closing_mrr"] for row in world.client.data(query)}
    old, new = tmp_path / "old.duckdb", world.release.with_suffix(".new")
    shutil.copy(world.release, old)
    shutil.copy(world.release, new)
    with duckdb.connect(str(new)) as connection:
        connection.execute("update marts.mrr_bridge_monthly set closing_mrr_amount = 7")
    new.replace(world.release)
    try:
        held = world.marts(
            "select month_start, sum(closing_mrr_amount) from marts.mrr_bridge_monthly"
            " where is_complete group by month_start"
        )
        rows = _with_days(world.client.data(query), "month_start")
        assert _series(rows, ["month_start"], "closing_mrr") == _approximately(held)
    finally:
        old.replace(world.release)
    after = {row["month_start"]: row["closing_mrr"] for row in world.client.data(query)}
    assert after == before
