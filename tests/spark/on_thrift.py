"""A run on a Spark that is a server. `make test-thrift` runs this: each statement is waited for."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from orchestration import refresh_job
from orchestration.manifest import Manifest
from orchestration.progress import LineReporter
from orchestration.settings import RunRequest, Settings
from orchestration.sql_text import quoted_text
from orchestration.warehouse import Warehouse
from simulator.service import simulate
from tests.spark.parity import Sides
from tests.spark.thrift_server import HOST, thrift_server

# of so few rows a few bad ones are many
VARIABLES = {"max_quarantined_share": 0.5}


def run(raw: Path, place: Warehouse, target: str) -> None:
    settings = Settings(raw=raw, warehouse=place.root, target=target)
    request = RunRequest(settings, variables=json.dumps(VARIABLES))
    refresh_job.run(request, LineReporter(Console(stderr=True)))


def test_a_small_service_is_released_by_a_server_with_the_same_rows(
    tmp_path: Path, unused_port: int, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw"
    simulate(subscribers=40, months=3, seed=5, out=raw)
    embedded, served = Warehouse(tmp_path / "embedded"), Warehouse(tmp_path / "served")
    run(raw, embedded, "embedded")
    served.prepare()
    monkeypatch.setenv("TENURE_SPARK_HOST", HOST)
    monkeypatch.setenv("TENURE_SPARK_PORT", str(unused_port))

    with thrift_server(served, unused_port):
        run(raw, served, "thrift")

    subscribers = quoted_text(str(raw / "subscribers" / "*.parquet"))
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, place in (("build", embedded), ("spark", served)):
            connection.execute(
                f"attach {quoted_text(str(place.release_file))} as {name} (read_only)"
            )
        told = Sides(connection, "build", "spark").differences(
            [(table.schema, table.name) for table in manifest.released_tables()],
            f"select subscriber_id from read_parquet({subscribers})",
        )
    assert told == []
