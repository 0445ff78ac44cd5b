"""The snippets of docs/connect.md, run as they stand against a release."""

import re
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.settings import PROJECT_DIR
from tests.dashboard.samples import small_service, write_release

PAGE = PROJECT_DIR / "docs" / "connect.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the warehouse of the snippets in it."""
    place = tmp_path_factory.mktemp("connect")
    warehouse = place / "demo" / "warehouse"
    warehouse.mkdir(parents=True)
    write_release(warehouse / "tenure.duckdb", small_service())
    (warehouse / "parquet" / "marts").mkdir(parents=True)
    with duckdb.connect(str(warehouse / "tenure.duckdb"), read_only=True) as connection:
        target = warehouse / "parquet" / "marts" / "churn_monthly.parquet"
        connection.execute(f"copy marts.churn_monthly to '{target}' (format parquet)")
    return place


def library_of(snippet: str) -> str:
    found = re.search(r"^(?:import|from) (\w+)", snippet, re.MULTILINE)
    assert found
    return found.group(1)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=[library_of(each) for each in SNIPPETS])
def test_a_snippet_runs_and_reads_the_release(
    folder: Path, monkeypatch: pytest.MonkeyPatch, snippet: str
) -> None:
    needed = {library_of(snippet)} | ({"duckdb_engine"} if "duckdb:///" in snippet else set())
    if "adbc" in snippet:
        needed.add("adbc_driver_manager")
    if "pyspark" in needed and not shutil.which("java"):
        pytest.skip("Spark needs Java")
    if missing := [name for name in sorted(needed) if not find_spec(name)]:
        pytest.skip(f"{' and '.join(missing)} not installed")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(snippet, str(PAGE), "exec"), names)  # noqa: S102
    checks: dict[str, Callable[[Any], bool]] = {
        "bridge": lambda rows: [float(row[2]) for row in rows] == [2500.0, 2686.7167],
        "meanings": lambda rows: ("closing_subscribers", None) in rows,
        "months": lambda count: count == 3,
        "revenue": lambda table: table.num_rows == 3,
        "rate": lambda series: round(float(series.iloc[-1]), 4) == 0.06,
        "rates": lambda found: {0.06} <= {round(float(each or 0), 4) for each in _rates(found)},
    }
    read = [name for name in checks if name in names]
    assert len(read) == 1
    assert checks[read[0]](names[read[0]])


def _rates(found: Any) -> list[Any]:  # noqa: ANN401
    return [row["rate"] for row in (found.to_dicts() if hasattr(found, "to_dicts") else found)]
