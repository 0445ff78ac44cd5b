from __future__ import annotations

import os
import stat
from pathlib import Path

import duckdb
import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, without_values
from orchestration.raw import landing
from orchestration.raw.contract import RawContract
from orchestration.raw.folder import open_raw_folder
from orchestration.settings import PROJECT_DIR
from orchestration.transform import spark, verdicts
from orchestration.transform.manifest import Manifest
from orchestration.transform.project import NodeFinished
from tests.spark import macro_cases
from tests.spark.plans import Plans


def java_that_says(folder: Path, text: str) -> str:
    """A JAVA_HOME whose java tells this as its version."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    return str(folder)


def test_no_java_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    fault = spark.java_fault()

    assert str(fault).startswith("Spark needs Java and there is none. Install Java 17")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ('openjdk version "11.0.2" 2019-01-15', "is 11"),
        ('java version "1.8.0_401"', "is 8"),
        ("something else", "is of an unknown version"),
    ],
)
def test_a_wrong_java_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, found: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", java_that_says(tmp_path, told))

    fault = spark.java_fault()

    assert fault is not None
    assert fault.what.endswith(found)


def test_a_java_home_without_java_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    fault = spark.java_fault()

    assert fault is not None
    assert fault.what == f"Spark needs Java and {tmp_path}/bin/java does not run"


@pytest.mark.parametrize("told", ['openjdk version "17.0.15" 2025-04-15', 'java version "21"'])
def test_a_new_enough_java_is_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", java_that_says(tmp_path, told))

    assert spark.java_fault() is None


@pytest.mark.parametrize("target", ["sparkle", "lint", "spark_parse"])
def test_a_target_that_the_profile_lacks_or_builds_nothing_on_is_told(target: str) -> None:
    (fault,) = spark.check_target(PROJECT_DIR, target)

    assert fault.what == f"there is no target {target!r} in profiles.yml to build on"
    assert fault.advice == "Name one of these with --target: embedded, spark, thrift"


def test_the_embedded_target_needs_nothing() -> None:
    assert spark.check_target(PROJECT_DIR, "embedded") == ()


@pytest.mark.parametrize(
    "message",
    [
        "Job aborted due to stage failure: Task 3 in stage 9.0 failed 4 times, most recent failure:"
        " Lost task 3.3 in stage 9.0: ExecutorLostFailure (executor 1 exited)",
        "Job 12 cancelled because SparkContext was shut down",
        "[Errno 111] Connection refused",
    ],
)
def test_a_lost_executor_is_told_and_not_taken_for_a_broken_model(
    manifest: Manifest, tmp_path: Path, message: str
) -> None:
    model = next(iter(manifest.models()))["unique_id"]

    error = verdicts.build_error(
        manifest,
        [NodeFinished(model, "error", 0, message, 1.0)],
        raw_folder=tmp_path,
        raw_files=[],
        warehouse=tmp_path,
        messages_of=lambda _: (),
    )

    assert isinstance(error, BuildError)
    assert "Spark lost what it computed with" in str(error)
    assert "the last release stands" in str(error)


def test_an_error_of_spark_tells_no_value_of_a_row() -> None:
    message = (
        "[CAST_INVALID_INPUT] The value 'jane@example.com' of the type \"STRING\" cannot be cast"
    )

    assert "jane" not in without_values(message)


def test_files_of_the_contracts_own_types_are_read_as_they_lie(
    tmp_path: Path, contract: RawContract
) -> None:
    plans = contract.table("plans")
    columns = ", ".join(
        f"cast(null as {column.data_type}) as {column.name}" for column in plans.columns
    )
    (tmp_path / "plans").mkdir()
    duckdb.sql(f"copy (select {columns}) to '{tmp_path}/plans/a.parquet'")

    assert is_plain(tmp_path, contract)

    duckdb.sql(
        "copy (select * replace (cast(null as timestamp_ns) as recorded_at)"
        f" from (select {columns})) to '{tmp_path}/plans/a.parquet'"
    )

    assert not is_plain(tmp_path, contract)


def is_plain(raw: Path, contract: RawContract) -> bool:
    only = RawContract((contract.table("plans"),))
    inspection = landing.inspect(open_raw_folder(raw, only), only)
    assert inspection.faults == ()
    ((reading,),) = (findings.readings for findings in inspection.tables)
    return reading.is_plain


@pytest.fixture
def contract(manifest: Manifest) -> RawContract:
    from orchestration.raw.contract import read_raw_contract

    return read_raw_contract(PROJECT_DIR / "models")


def test_the_address_of_spark_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TENURE_SPARK_HOST", "cluster.example")
    monkeypatch.setenv("TENURE_SPARK_PORT", "10001")

    settings = spark.Spark(PROJECT_DIR, "thrift", Warehouse(tmp_path)).settings

    assert (settings["host"], settings["port"]) == ("cluster.example", 10001)
    assert settings["server_side_parameters"]["spark.sql.ansi.enabled"] == "true"
    assert os.environ.get("TENURE_WAREHOUSE") is None


def scan(table: str) -> dict[str, object]:
    name = f"Scan parquet spark_catalog.{table}"
    return {"nodeName": name, "simpleString": "FileScan parquet", "children": []}


def over(name: str, *children: dict[str, object], told: str = "") -> dict[str, object]:
    return {"nodeName": name, "simpleString": f"{name} {told}", "children": list(children)}


def over_all_groups(key: str) -> dict[str, object]:
    """A window over the groups of all people by a key."""
    groups = over("HashAggregate", scan("a.people"), told=f"(keys=[{key}#1], functions=[])")
    return over("Window", over("Exchange", groups, told="SinglePartition"))


COLUMNS = {"a.people": ["subscriber_id", "started_at"], "a.months": ["month_start"]}


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (
            over(
                "BroadcastNestedLoopJoin",
                scan("a.people"),
                over("BroadcastExchange", scan("a.people")),
            ),
            "every row meets every other",
        ),
        (over("TakeOrderedAndProject", scan("a.people")), "goes through the driver"),
        (
            over("TakeOrderedAndProject", scan("a.people"), told="(limit=1000000, orderBy=[x])"),
            "goes through the driver",
        ),
        (over("TakeOrderedAndProject", scan("a.people"), told="(limit=1, orderBy=[x])"), ""),
        (
            over(
                "Window", over("Sort", over("Exchange", scan("a.people"), told="SinglePartition"))
            ),
            "a window over all rows",
        ),
        (
            over(
                "BroadcastNestedLoopJoin",
                scan("a.people"),
                over("BroadcastExchange", scan("a.months")),
            ),
            "",
        ),
        (over_all_groups("month_start"), ""),
        (over_all_groups("subscriber_id"), "a window over all rows"),
        (over("Window", over("Exchange", scan("a.people"), told="hashpartitioning(x)")), ""),
    ],
)
def test_a_plan_that_does_not_spread_is_told(plan: dict[str, object], told: str) -> None:
    complaints = list(Plans({"a.made": [plan]}).complaints(COLUMNS))

    assert [told in each for each in complaints] == ([True] if told else [])


def test_every_macro_with_an_arm_for_an_engine_has_a_case() -> None:
    assert macro_cases.dispatched(PROJECT_DIR / "macros") == {
        *macro_cases.CASES,
        # statements and what hangs on a build, which whole builds make on both engines
        *macro_cases.STATEMENTS,
    }
