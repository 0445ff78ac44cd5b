"""A service in which nothing has happened yet, the whole way, and the unit tests of the SQL.

The unit tests need the types of what a model reads, not a row of it: an empty warehouse gives them.
"""

from typing import Any

import duckdb
import pytest
import yaml

from orchestration.database.warehouse import Warehouse
from orchestration.settings import PROJECT_DIR
from orchestration.transform.project import DbtProject
from tests.built_service import write_headers
from tests.conftest import RunPipeline
from tests.one_parse import invoke_dbt

UNIT_TESTS = sorted(
    unit_test["name"]
    for path in (PROJECT_DIR / "models").rglob("*.unit.yml")
    for unit_test in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
)


@pytest.fixture(scope="module")
def empty_service(tmp_path_factory: pytest.TempPathFactory, run_pipeline: RunPipeline) -> Warehouse:
    """The warehouse of a raw folder in which every required table is a CSV file with a header."""
    raw = tmp_path_factory.mktemp("empty")
    tables = DbtProject(PROJECT_DIR).contract().tables
    write_headers(raw, (table for table in tables if table.is_required))
    return run_pipeline(raw)


@pytest.fixture(scope="module")
def unit_test_results(
    empty_service: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What dbt says of each unit test, by name."""
    target = tmp_path_factory.mktemp("unit")
    select = ("--select", "test_type:unit")
    done: Any = invoke_dbt(["test", *select], empty_service.root, target=target).result
    return {result.node.name: result for result in done.results}


@pytest.mark.parametrize("name", UNIT_TESTS)
def test_sql(name: str, unit_test_results: dict[str, Any]) -> None:
    """The dbt unit test of this name passes."""
    result = unit_test_results[name]
    assert result.status == "pass", result.message


def test_an_empty_service_has_empty_marts(empty_service: Warehouse) -> None:
    with duckdb.connect(str(empty_service.root / "tenure.duckdb"), read_only=True) as release:
        marts = [
            name
            for (name,) in release.execute(
                "select table_name from information_schema.tables where table_schema = 'marts'"
            ).fetchall()
        ]
        assert "mrr_bridge_monthly" in marts
        filled = {
            name
            for name in marts
            if release.execute(f"select 1 from marts.{name} limit 1").fetchone()
        }
        assert filled == set()
        counts = release.execute(
            "select distinct raw_rows, accepted_rows from quality.row_reconciliation"
        ).fetchall()
    assert counts == [(0, 0)]
