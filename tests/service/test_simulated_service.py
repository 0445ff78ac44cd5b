"""A whole simulated service, dirty and clean, through the whole way.

Every run here has passed all data tests, the bridges and reconciliations among them: one that did
not would have raised. What the tests add is what no single run can know: what was planted.

It is run in two time zones; with `TENURE_ALL_ZONES` in two more, and cleaned in both.
"""

import json
import os
import re
from collections import Counter
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.metrics.queries import SEMANTIC_MANIFEST, MetricLayer, ask
from simulator import simulate
from tests.conftest import RunPipeline
from tests.metrics import against_marts

IS_IN_ALL_ZONES = "TENURE_ALL_ZONES" in os.environ
ZONES = ["UTC", "America/Sao_Paulo"]
ALL_ZONES = [*ZONES, "Asia/Kathmandu", "Atlantic/Azores"] if IS_IN_ALL_ZONES else ZONES
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# a label that no list knows reads as `other`; what each feed delivered is what dirt is about
SHOWS_DIRT = {
    "quality": {
        "quarantined_rows",
        "row_reconciliation",
        "money_reconciliation",
        "feed_profile",
        "check_results",
        "releases",
    },
    "marts": {
        "churn_by_reason_monthly",
        # learned from how people pay and how it played, which are labels
        "churn_risk",
        "churn_risk_scorecard",
        "dim_titles",
        "experience_monthly",
        "tickets_monthly",
        "title_performance",
    },
}
LABELS = {
    *("end_reason", "churn_reason", "cancel_feedback", "detail"),
    *("churn_probability", "risk_decile"),
}


def _simulate(out: Path, *, dirt: bool) -> Path:
    simulate(
        subscribers=1200,
        months=20,
        seed=11,
        out=out,
        plays_per_month=4.0,
        dirt=dirt,
        end=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return out


@pytest.fixture(scope="module")
def dirty_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw folder of a dirty service."""
    return _simulate(tmp_path_factory.mktemp("dirty"), dirt=True)


@pytest.fixture(scope="module")
def clean_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw folder of the same service, clean."""
    return _simulate(tmp_path_factory.mktemp("clean"), dirt=False)


@pytest.fixture(scope="module")
def dirty_releases(dirty_raw: Path, run_pipeline: RunPipeline) -> dict[str, Warehouse]:
    """The dirty service's warehouse, by reporting time zone."""
    return {
        zone: run_pipeline(
            dirty_raw,
            variables=json.dumps({"reporting_timezone": zone, "max_quarantined_share": 0.2}),
        )
        for zone in ALL_ZONES
    }


def _read(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse.root / "tenure.duckdb"), read_only=True) as release:
        return release.execute(query).fetchall()


def _tables(warehouse: Warehouse) -> list[tuple[str, str]]:
    rows = _read(
        warehouse,
        "select table_schema, table_name from information_schema.tables order by 1, 2",
    )
    return [(schema, table) for schema, table in rows]


def _rows(warehouse: Warehouse, schema: str, table: str) -> Counter[tuple[Any, ...]]:
    """The rows of a mart, with every random id read as one, and without labels."""
    columns = [
        name
        for (name,) in _read(
            warehouse,
            f"select column_name from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{table}'"
            " order by ordinal_position",
        )
        if name not in LABELS
    ]
    return Counter(
        tuple(RANDOM_ID.sub("erased", cell) if isinstance(cell, str) else cell for cell in row)
        for row in _read(
            warehouse,
            f"select {', '.join(columns)} from {schema}.{table}",
        )
    )


@pytest.mark.parametrize("zone", ALL_ZONES)
def test_every_raw_row_ends_where_it_was_planted_to(
    zone: str, dirty_raw: Path, dirty_releases: dict[str, Warehouse]
) -> None:
    truth = json.loads((dirty_raw / "truth.json").read_text())
    places = [
        "raw_rows",
        "accepted_rows",
        "duplicate_rows",
        "superseded_rows",
        "quarantined_rows",
        "beyond_as_of_rows",
    ]
    found = {
        table: dict(zip(places, counts, strict=True))
        for table, *counts in _read(
            dirty_releases[zone],
            f"select table_name, {', '.join(places)} from quality.row_reconciliation",
        )
    }
    assert found == truth["row_reconciliation"]


def test_every_planted_fault_is_found_by_its_rule(
    dirty_raw: Path, dirty_releases: dict[str, Warehouse]
) -> None:
    truth = json.loads((dirty_raw / "truth.json").read_text())["quarantined_by_rule"]
    planted = {
        (table, rule): count
        for table, rules in truth.items()
        for rule, count in rules.items()
        if count
    }
    found = {
        (table, rule): count
        for table, rule, count in _read(
            dirty_releases["UTC"],
            "select table_name, rule, count(*) from quality.quarantined_rows group by 1, 2",
        )
    }
    assert found == planted


@pytest.mark.parametrize("zone", ZONES if IS_IN_ALL_ZONES else ZONES[1:])
def test_dirt_changes_no_figure(
    zone: str,
    clean_raw: Path,
    dirty_releases: dict[str, Warehouse],
    run_pipeline: RunPipeline,
) -> None:
    clean = run_pipeline(clean_raw, variables=json.dumps({"reporting_timezone": zone}))
    dirty = dirty_releases[zone]
    assert _tables(clean) == _tables(dirty)
    differing = {}
    for schema, table in _tables(clean):
        if table not in SHOWS_DIRT[schema]:
            of_clean, of_dirty = _rows(clean, schema, table), _rows(dirty, schema, table)
            if of_clean != of_dirty:
                differing[f"{schema}.{table}"] = (
                    list((of_clean - of_dirty).items())[:3],
                    list((of_dirty - of_clean).items())[:3],
                )
    assert differing == {}


def test_a_run_again_gives_the_same_marts(
    dirty_raw: Path, dirty_releases: dict[str, Warehouse], run_pipeline: RunPipeline
) -> None:
    first = dirty_releases["UTC"]
    before = {
        table: _rows(first, schema, table)
        for schema, table in _tables(first)
        if table not in {"check_results", "releases"}
    }
    again = run_pipeline(
        dirty_raw,
        warehouse=first,
        variables=json.dumps({"reporting_timezone": "UTC", "max_quarantined_share": 0.2}),
    )
    assert before == {
        table: _rows(again, schema, table)
        for schema, table in _tables(again)
        if table not in {"check_results", "releases"}
    }


def test_the_id_of_who_asked_to_be_forgotten_is_nowhere_in_the_warehouse(
    dirty_raw: Path, dirty_releases: dict[str, Warehouse]
) -> None:
    """Neither in the release nor in what the build keeps; its views hold nothing of their own."""
    warehouse = dirty_releases["UTC"]
    with duckdb.connect() as reader:
        # those of the simulator ask months after their last row: none of them comes back
        forgotten = [
            subscriber_id
            for (subscriber_id,) in reader.execute(
                "select distinct subscriber_id from read_parquet(?, union_by_name = true)"
                " where requested_at < timestamp '2026-01-01' and recorded_at < '2026-01-01'",
                [f"{dirty_raw}/erasure_requests/*.parquet"],
            ).fetchall()
        ]
        assert forgotten
        for name in ("tenure", "build"):
            reader.execute(f"attach '{warehouse.root / name}.duckdb' as {name} (read_only)")
            columns = reader.execute(
                "select schema_name, table_name, column_name from duckdb_columns()"
                " semi join duckdb_tables() using (database_name, schema_name, table_name)"
                " where database_name = ? and data_type = 'VARCHAR'",
                [name],
            ).fetchall()
            assert columns
            for schema, table, column in columns:
                found = reader.execute(
                    f"select count(*) from {name}.{schema}.{table}"
                    f" where len(list_filter(?, lambda id: contains({column}, id))) > 0",
                    [forgotten],
                ).fetchone()
                assert found == (0,), f"{name}: {schema}.{table}.{column}"


def test_metrics_at_the_grain_of_their_marts_are_the_marts_figures(
    dirty_releases: dict[str, Warehouse],
) -> None:
    """In a zone in which the last month is open."""
    differing, compared = against_marts.differences(dirty_releases["America/Sao_Paulo"])
    assert differing == []
    assert compared > 1000


@pytest.mark.parametrize(
    ("metric", "by", "query"),
    [
        pytest.param(
            "closing_mrr",
            ["plan_tier"],
            """
            select date_trunc('quarter', month_start) as quarter, plan_tier, sum(closing_mrr_amount)
            from marts.mrr_bridge_monthly
            where month_start in (
                select max(month_start) from marts.mrr_bridge_monthly
                group by date_trunc('quarter', month_start)
            )
            group by quarter, plan_tier order by quarter, plan_tier
            """,
            id="a level by tier",
        ),
        pytest.param(
            "churn_rate",
            ["country_code"],
            """
            select
                date_trunc('quarter', month_start) as quarter,
                country_code,
                sum(churned_from_opening) / nullif(sum(opening_subscribers), 0)
            from marts.churn_monthly
            where is_complete
            group by quarter, country_code order by quarter, country_code
            """,
            id="a rate by country",
        ),
        pytest.param(
            "new_subscribers",
            ["acquisition_channel"],
            """
            select
                date_trunc('quarter', month_start) as quarter,
                acquisition_channel,
                sum(new_subscribers)
            from marts.churn_monthly
            group by quarter, acquisition_channel order by quarter, acquisition_channel
            """,
            id="a count by channel",
        ),
        pytest.param(
            "arppu",
            [],
            """
            select
                date_trunc('quarter', month_start) as quarter,
                sum(net_revenue_amount)::double / nullif(sum(average_paying_subscribers), 0)
            from marts.revenue_monthly
            where is_complete
            group by quarter order by quarter
            """,
            id="an amount per subscriber",
        ),
    ],
)
def test_metrics_of_a_quarter_are_what_sql_says(
    metric: str, by: list[str], query: str, dirty_releases: dict[str, Warehouse]
) -> None:
    place = dirty_releases["America/Sao_Paulo"]
    layer = MetricLayer(place.dbt_dir / SEMANTIC_MANIFEST)
    told = ask(place.release_file, layer, [metric], by=["metric_time__quarter", *by])
    held = _read(place, query)
    assert len(held) > 5
    assert [row[:-1] for row in told.rows] == [
        (datetime.combine(quarter, time()), *keys) for quarter, *keys, _ in held
    ]
    figures = [None if row[-1] is None else pytest.approx(float(row[-1])) for row in held]
    assert [None if row[-1] is None else float(row[-1]) for row in told.rows] == figures
