"""What a local Apache Spark builds, held against what DuckDB does. `make test-spark` runs this.

A dirty service goes the whole way on both engines, the public tables of the example through all
models. Nothing here is a list of tables: whatever is released is compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from examples.fight_churn.map_tables import map_tables
from orchestration import refresh_job
from orchestration.erasure import write_requests
from orchestration.errors import BuildError
from orchestration.manifest import Manifest
from orchestration.progress import LineReporter
from orchestration.project import ParsedProject
from orchestration.settings import PROJECT_DIR, RunRequest, Settings
from orchestration.spark import Spark
from orchestration.sql_text import quoted_text
from orchestration.warehouse import Warehouse
from simulator.service import simulate
from tests.built_service import build_service
from tests.spark import macro_cases
from tests.spark.parity import Sides
from tests.spark.plans import Plans

# of so few rows a few bad ones are many; the zone has nights of 23 and of 25 hours
VARIABLES = {"max_quarantined_share": 0.5, "reporting_timezone": "America/New_York"}
ERASED = 4

# plans that are as they should be though they look otherwise, each with its reason
ALLOWED: dict[str, str] = {}


@dataclass(frozen=True)
class Both:
    """One raw folder, and the warehouses that each engine made of it."""

    raw: Path
    embedded: Warehouse
    spark: Warehouse


def run(raw: Path, place: Warehouse, target: str) -> None:
    settings = Settings(raw=raw, warehouse=place.root, target=target)
    request = RunRequest(settings, variables=json.dumps(VARIABLES))
    refresh_job.run(request, LineReporter(Console(stderr=True)))


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory, spark: Spark) -> Both:
    """A service with every fault that the simulator knows, some of whose people are erased."""
    raw = tmp_path_factory.mktemp("dirty") / "raw"
    simulate(subscribers=150, months=7, seed=7, out=raw, dirt=True)
    viewers = duckdb.sql(
        f"select subscriber_id from read_parquet('{raw}/playback_sessions/*.parquet')"
        " where starts_with(subscriber_id, 's') group by subscriber_id"
        f" order by count(*) desc, subscriber_id limit {ERASED}"
    ).fetchall()
    write_requests(
        raw, [viewer for (viewer,) in viewers], requested_at=datetime(2025, 11, 10, tzinfo=UTC)
    )
    tickets = raw / "support_tickets"
    duckdb.sql(f"copy (from '{tickets}/*.parquet') to '{tickets}/all.csv'")
    for file in tickets.glob("*.parquet"):
        file.unlink()
    both = Both(raw, Warehouse(tmp_path_factory.mktemp("embedded")), spark.place)
    run(raw, both.embedded, "embedded")
    run(raw, both.spark, "spark")
    return both


@contextmanager
def sides(embedded: Path, on_spark: Path) -> Iterator[Sides]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        # views in a build know it by this name
        connection.execute(f"attach {quoted_text(str(embedded))} as build (read_only)")
        connection.execute(f"attach {quoted_text(str(on_spark))} as spark (read_only)")
        yield Sides(connection, "build", "spark")


def released(manifest: Manifest) -> list[tuple[str, str]]:
    return [(table.schema, table.name) for table in manifest.released_tables()]


def known_ids(raw: Path) -> str:
    return (
        "select subscriber_id"
        f" from read_parquet({quoted_text(str(raw / '[!e]*' / '*.parquet'))}, union_by_name = true)"
        " where subscriber_id is not null"
    )


def test_a_dirty_service_is_released_with_the_same_rows(
    dirty: Both, parsed_for_spark: ParsedProject
) -> None:
    with sides(dirty.embedded.release_file, dirty.spark.release_file) as both:
        told = both.differences(released(parsed_for_spark.manifest), known_ids(dirty.raw))
        ((erased,),) = both.connection.execute("select count(*) from erased_ids").fetchall()
    assert told == []
    # the service holds what the comparison is to show
    assert erased >= ERASED


def test_the_example_is_the_same_on_both_engines(
    tmp_path: Path,
    fight_churn: Path,
    spark: Spark,
    parsed_for_spark: ParsedProject,
    parsed_project: ParsedProject,
) -> None:
    raw, place = tmp_path / "raw", Warehouse(tmp_path / "embedded")
    map_tables(source=fight_churn, sql=PROJECT_DIR / "examples" / "fight_churn" / "sql", out=raw)
    build_service(parsed_project, raw, place, tests="none")
    build_service(parsed_for_spark, raw, spark.place, tests="none", spark=spark)
    with sides(place.build_file, spark.place.build_file) as both:
        told = both.differences(released(parsed_for_spark.manifest), known_ids(raw))
    assert told == []


def test_a_macro_with_an_arm_for_each_engine_gives_the_same(tmp_path: Path, spark: Spark) -> None:
    for zone in ("UTC", "America/New_York", "America/Sao_Paulo"):
        queries = {
            target: macro_cases.compiled(target, zone, tmp_path) for target in ("lint", "spark")
        }
        with duckdb.connect(":memory:") as connection:
            connection.execute("set TimeZone = 'UTC'")
            embedded = connection.execute(queries["lint"]).fetchall()
        assert embedded
        assert [tuple(row) for row in spark.rows(queries["spark"])] == embedded


def test_every_macro_with_an_arm_for_an_engine_has_a_case() -> None:
    assert macro_cases.dispatched(PROJECT_DIR / "macros") == {
        *macro_cases.CASES,
        # statements, which every build above makes on both engines
        *macro_cases.STATEMENTS,
    }


def test_no_model_has_a_plan_that_one_machine_must_carry(
    dirty: Both, event_log: Path, parsed_for_spark: ParsedProject
) -> None:
    content = parsed_for_spark.manifest.content
    columns = {
        ".".join(parsed_for_spark.manifest.relation(unique_id)): list(node["columns"])
        for unique_id, node in {**content["nodes"], **content["sources"]}.items()
        if node["resource_type"] in {"model", "seed", "source"}
    }
    made = Plans.read(event_log)
    tables = {
        ".".join(parsed_for_spark.manifest.relation(model["unique_id"]))
        for model in parsed_for_spark.manifest.models()
        if model["config"]["materialized"] != "view"
    }
    assert tables - set(made.by_table) == set()
    complaints = [each for each in made.complaints(columns) if each.split(":")[0] not in ALLOWED]
    assert complaints == []


def test_an_address_that_does_not_answer_is_told_and_the_release_stands(
    dirty: Both, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    before = dirty.spark.release_file.read_bytes()
    monkeypatch.setenv("TENURE_SPARK_HOST", "127.0.0.1")
    monkeypatch.setenv("TENURE_SPARK_PORT", str(unused_port))

    with pytest.raises(
        BuildError, match=f"127.0.0.1:{unused_port} does not answer: Connection refused"
    ):
        run(dirty.raw, dirty.spark, "thrift")

    assert dirty.spark.release_file.read_bytes() == before
