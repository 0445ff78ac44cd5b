"""A run on Spark that is killed while a table is between its old rows and its new ones.

`make test-cluster` runs this: each run is a process with a Spark of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import duckdb

from orchestration.database.warehouse import Warehouse
from orchestration.transform import increments
from orchestration.transform.manifest import Manifest
from simulator.service import simulate
from tests.spark.conftest import SMALL
from tests.spark.runs import command, deliver, differences, run, sides

LAST_DAYS = "timestamp '2025-12-25'"
# the month to which the last days belong, and which an increment drops before it adds it anew
PART = Path("intermediate.db/int_viewing__subscriber_days/kept_month=2025-12-01")
PATIENCE_SECONDS = 1800


def started(raw: Path, place: Warehouse) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **SMALL, "TENURE_SPARK_MASTER": "local[2]"}
    return subprocess.Popen(command(raw, place, "spark"), env=environment, start_new_session=True)


def killed_without(part: Path, process: subprocess.Popen[bytes]) -> bool:
    """Kills a run with all that it has started as soon as a part of a table is gone."""
    until = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if not part.exists():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.01)
    return False


def test_a_run_that_is_killed_between_dropping_and_adding_leaves_nothing_behind(
    tmp_path: Path, manifest: Manifest
) -> None:
    whole, raw = tmp_path / "whole", tmp_path / "raw"
    simulate(subscribers=40, months=3, seed=5, out=whole)
    deliver(whole, raw, "first", f"recorded_at < {LAST_DAYS} or recorded_at is null")
    place = Warehouse(tmp_path / "warehouse")
    assert started(raw, place).wait() == 0
    before = place.release_file.read_bytes()
    part = place.spark_dir / PART
    assert part.exists()
    deliver(whole, raw, "later", f"recorded_at >= {LAST_DAYS}")

    assert killed_without(part, started(raw, place))

    assert place.release_file.read_bytes() == before
    assert not part.exists()
    assert started(raw, place).wait() == 0
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        ((adds,),) = connection.execute(f"select adds from {increments.PLANS}").fetchall()
    assert not adds
    with sides(run(raw, Warehouse(tmp_path / "embedded"), "embedded"), place.release_file) as both:
        assert differences(both, manifest, raw) == []
