"""A run on several executors, one of which is killed. `make test-cluster` runs this.

A master, two workers and an executor of each, all on this machine, each a process of its own.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyspark
import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.transform.project import ParsedProject
from orchestration.transform.spark import Spark
from simulator.service import simulate
from tests.spark.plans import tables_by_execution
from tests.spark.runs import differences, run, sides

EXECUTORS = 2
# a table that is made in mid-run, when the executors have been at work for a while
HEAVY = "intermediate.int_viewing__subscriber_days"
# so many rows out of exchanges that none of the two executors may take nearly all: which is free
# when a task is to be done, chance says, but what does not spread is one's alone
MANY_ROWS = 1000
MOST_OF_THE_ROWS = 0.9


@pytest.fixture(scope="session")
def spark_master() -> str:
    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    return f"local-cluster[{EXECUTORS},1,1024]"


@pytest.fixture(scope="session")
def spark_options() -> str:
    # of so few rows adaptive execution makes one partition
    return "--conf spark.sql.adaptive.coalescePartitions.enabled=false"


@dataclass(frozen=True)
class Ran:
    """A run in which an executor was killed, and what Spark noted of it."""

    raw: Path
    release: Path
    events: Sequence[Mapping[str, Any]]


def executors() -> list[psutil.Process]:
    return [process for process in psutil.Process().children(recursive=True) if executes(process)]


def executes(process: psutil.Process) -> bool:
    try:
        return any("CoarseGrainedExecutorBackend" in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        # Hadoop starts one for each file that it writes, gone before it is looked at
        return False


@contextmanager
def killing_an_executor(log: Path, killed: list[int]) -> Iterator[None]:
    """Kills one of the executors once the log of events tells of the heavy table."""
    over = threading.Event()

    def watch() -> None:
        sought = HEAVY.replace(".", ".db/")
        # what is being written may end within a letter
        with log.open(encoding="utf-8", errors="replace") as told:
            news = ""
            while not over.is_set():
                # with the end of what was read before, where the name may have begun
                news = news[-len(sought) :] + told.read()
                if sought in news:
                    first, *_ = executors()
                    first.kill()
                    killed.append(first.pid)
                    return
                time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, spark: Spark, event_log: Path) -> Ran:
    raw = tmp_path_factory.mktemp("simulated") / "raw"
    simulate(subscribers=40, months=3, seed=5, out=raw)
    killed: list[int] = []
    with killing_an_executor(event_log, killed):
        release = run(raw, spark.place, "spark")
    lines = event_log.read_text(encoding="utf-8").splitlines()
    assert killed
    return Ran(raw, release, [json.loads(line) for line in lines])


def test_a_lost_executor_is_made_up_for_and_the_rows_are_the_same(
    ran: Ran, tmp_path: Path, parsed_for_spark: ParsedProject
) -> None:
    removed = [e for e in ran.events if e["Event"] == "SparkListenerExecutorRemoved"]
    added = [e for e in ran.events if e["Event"] == "SparkListenerExecutorAdded"]
    assert removed
    # another took its place
    assert len(added) == EXECUTORS + len(removed)
    embedded = run(ran.raw, Warehouse(tmp_path / "embedded"), "embedded")
    with sides(embedded, ran.release) as both:
        assert differences(both, parsed_for_spark.manifest, ran.raw) == []


def test_tables_that_are_shuffled_are_made_by_all_executors(ran: Ran) -> None:
    shuffled = {
        table: rows
        for table, rows in rows_by_executor(ran.events).items()
        # there was but one when the heavy table was made
        if sum(rows.values()) > MANY_ROWS and table != HEAVY
    }
    assert {"staging.stg_profiles__playback_sessions", "marts.title_performance"} <= set(shuffled)
    uneven = {
        table: rows
        for table, rows in shuffled.items()
        if max(rows.values()) > MOST_OF_THE_ROWS * sum(rows.values())
    }
    assert uneven == {}


def rows_by_executor(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, int]]:
    """The rows that each executor took out of exchanges, by the table for which it did."""
    tables = tables_by_execution(events)
    of_stage = {
        stage: tables[execution]
        for event in events
        if event["Event"] == "SparkListenerJobStart"
        for execution in [int(event["Properties"].get("spark.sql.execution.id", -1))]
        if execution in tables
        for stage in event["Stage IDs"]
    }
    rows: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for event in events:
        if event["Event"] == "SparkListenerTaskEnd" and event["Stage ID"] in of_stage:
            read = (event.get("Task Metrics") or {}).get("Shuffle Read Metrics", {})
            executor = event["Task Info"]["Executor ID"]
            rows[of_stage[event["Stage ID"]]][executor] += read.get("Total Records Read", 0)
    return rows
