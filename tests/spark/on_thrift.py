"""A run on a Spark that is a server. `make test-thrift` runs this: each statement is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.transform.manifest import Manifest
from simulator.service import simulate
from tests.spark.runs import differences, run, sides
from tests.spark.thrift_server import HOST, thrift_server


def test_a_small_service_is_released_by_a_server_with_the_same_rows(
    tmp_path: Path, unused_port: int, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw"
    simulate(subscribers=40, months=3, seed=5, out=raw)
    embedded, served = Warehouse(tmp_path / "embedded"), Warehouse(tmp_path / "served")
    served.prepare()
    monkeypatch.setenv("TENURE_SPARK_HOST", HOST)
    monkeypatch.setenv("TENURE_SPARK_PORT", str(unused_port))

    with thrift_server(served, unused_port):
        by_server = run(raw, served, "thrift")

    with sides(run(raw, embedded, "embedded"), by_server) as both:
        assert differences(both, manifest, raw) == []
