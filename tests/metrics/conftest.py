"""A release of a few hand-written rows, and the metrics of the project asked of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.metrics.queries import SEMANTIC_MANIFEST, MetricLayer, ask
from orchestration.transform.manifest import Manifest
from orchestration.transform.project import ParsedProject

Rows = list[tuple[Any, ...]]
Release = Callable[[str], Path]
Ask = Callable[..., Rows]


@pytest.fixture(scope="session")
def layer(parsed_warehouse: Warehouse, parsed_project: ParsedProject) -> MetricLayer:
    return MetricLayer(parsed_warehouse.dbt_dir / SEMANTIC_MANIFEST)


@pytest.fixture
def release_file(tmp_path: Path, manifest: Manifest) -> Path:
    """A released file with every mart, as its contract has it, and no row in any."""
    path = tmp_path / "tenure.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for node in manifest.models():
            if node["schema"] == "marts":
                columns = ", ".join(
                    f"{name} {column['data_type']}" for name, column in node["columns"].items()
                )
                connection.execute(f"create table marts.{node['alias']} ({columns})")
    return path


@pytest.fixture
def fill(release_file: Path) -> Callable[[str, str], None]:
    """Fills a mart from CSV text; columns that it leaves out are null."""

    def fill_mart(mart: str, text: str) -> None:
        lines = [[cell.strip() for cell in line.split(",")] for line in text.split("\n") if line]
        header, *rows = lines
        with duckdb.connect(str(release_file)) as connection:
            connection.executemany(
                f"insert into marts.{mart} ({', '.join(header)})"
                f" values ({', '.join('?' for _ in header)})",
                [[cell or None for cell in row] for row in rows],
            )

    return fill_mart


@pytest.fixture
def asked(release_file: Path, layer: MetricLayer) -> Ask:
    """The rows of an answer, every instant as the text of its day and every figure as a float."""

    def rows(metrics: Sequence[str] | str, *by: str, where: Sequence[str] = ()) -> Rows:
        names = [metrics] if isinstance(metrics, str) else metrics
        answer = ask(release_file, layer, names, by=by, where=where)
        return [
            tuple(
                str(cell.date())
                if hasattr(cell, "date")
                else cell
                if cell is None or isinstance(cell, str)
                else pytest.approx(float(cell), abs=1e-9)
                for cell in row
            )
            for row in answer.rows
        ]

    return rows
