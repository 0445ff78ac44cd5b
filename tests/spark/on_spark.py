"""What a local Apache Spark builds, held against what DuckDB does. `make test-spark` runs this.

A dirty service goes the whole way on both engines, and what comes later as well, which Spark adds
and DuckDB builds anew; the public tables of the example go through all models. Nothing here is a
list of tables: whatever is released is compared.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from examples.fight_churn.map_tables import map_tables
from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError
from orchestration.releases.erasure import write_requests
from orchestration.settings import PROJECT_DIR
from orchestration.transform import increments
from orchestration.transform.project import ParsedProject
from orchestration.transform.spark import Spark
from simulator.service import simulate
from tests.built_service import build_service, run_dbt
from tests.spark import macro_cases
from tests.spark.plans import Plans
from tests.spark.runs import command, deliver, differences, kept_release, run, sides

ERASED = 4
# the last of seven months is under way
LATER = "timestamp '2025-12-20'"

# what nobody expects any more: the oldest session turns out to be one of two months later, copies
# come of others, and somebody who was erased has one more that is older than the request
UNEXPECTED = f"""
    select * replace (
        started_at + interval 61 day as started_at,
        ended_at + interval 61 day as ended_at,
        {LATER} as recorded_at
    )
    from first_plays where not is_erased qualify row_number() over (order by started_at) = 1
    union all by name
    (from first_plays where not is_erased order by started_at limit 3)
    union all by name
    select * replace ('late' as session_id, {LATER} as recorded_at)
    from first_plays where is_erased qualify row_number() over (order by started_at) = 1
"""

# plans that are as they should be though they look otherwise, each with its reason
ALLOWED: dict[str, str] = {}


@dataclass(frozen=True)
class Both:
    """One raw folder, and what each engine released of it."""

    raw: Path
    embedded: Path
    spark: Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with every fault that the simulator knows."""
    folder = tmp_path_factory.mktemp("simulated") / "whole"
    simulate(subscribers=150, months=7, seed=7, out=folder, dirt=True)
    # one session lasts from the first month beyond the last: no month would be left untouched
    plays = folder / "playback_sessions"
    duckdb.sql(
        "create or replace temp table shortened as select * replace (case"
        " when ended_at > started_at + interval 10 day then ended_at - interval 10 day"
        " else started_at end as started_at)"
        f" from read_parquet('{plays}/*.parquet', union_by_name = true)"
    )
    for file in plays.iterdir():
        file.unlink()
    duckdb.sql(f"copy shortened to '{plays}/shortened.parquet'")
    return folder


@pytest.fixture(scope="module")
def embedded_place(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="module")
def dirty(
    whole: Path,
    tmp_path_factory: pytest.TempPathFactory,
    embedded_place: Warehouse,
    spark_place: Warehouse,
) -> Both:
    """The service but for its last days, some of whose people are erased."""
    raw = tmp_path_factory.mktemp("dirty") / "raw"
    deliver(whole, raw, "first", f"recorded_at < {LATER} or recorded_at is null")
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
    # DuckDB builds while this process starts Spark and waits for it
    with subprocess.Popen(command(raw, embedded_place, "embedded")) as beside:
        on_spark = run(raw, spark_place, "spark")
    assert beside.returncode == 0
    return Both(raw, kept_release(embedded_place), on_spark)


@dataclass(frozen=True)
class Grown(Both):
    """The same after what came later, with the files of a growing table before and after."""

    adds: bool
    files_before: Mapping[str, set[str]]
    files_after: Mapping[str, set[str]]


@pytest.fixture(scope="module")
def grown(whole: Path, dirty: Both, embedded_place: Warehouse, spark: Spark) -> Grown:
    """The service with its last days and with what nobody expected, added to on Spark."""
    raw = dirty.raw
    duckdb.sql(
        "create or replace temp table first_plays as"
        " select plays.*, requests.subscriber_id is not null as is_erased"
        f" from read_parquet('{raw}/playback_sessions/*.parquet') as plays"
        f" left join read_parquet('{raw}/erasure_requests/*.parquet') as requests"
        " on plays.subscriber_id = requests.subscriber_id"
        " where starts_with(plays.subscriber_id, 's') and plays.watched_seconds > 0"
        " and plays.ended_at > plays.started_at"
        " and plays.ended_at < plays.started_at + interval 1 day"
    )
    deliver(whole, raw, "later", f"recorded_at >= {LATER}")
    # a title that changes touches every month in which anybody watched it
    (raw / "titles" / "later.parquet").unlink()
    duckdb.sql(
        f"copy (select * exclude (is_erased) from ({UNEXPECTED}))"
        f" to '{raw}/playback_sessions/unexpected.parquet'"
    )
    before = files_by_part(spark.place)
    with subprocess.Popen(command(raw, embedded_place, "embedded", "--full-refresh")) as beside:
        on_spark = run(raw, spark.place, "spark")
    assert beside.returncode == 0
    with duckdb.connect(str(spark.place.build_file), read_only=True) as connection:
        ((adds,),) = connection.execute(f"select adds from {increments.PLANS}").fetchall()
    return Grown(
        raw=raw,
        embedded=kept_release(embedded_place),
        spark=on_spark,
        adds=adds,
        files_before=before,
        files_after=files_by_part(spark.place),
    )


def files_by_part(place: Warehouse) -> Mapping[str, set[str]]:
    """The files of the days of viewing, by the part of the table in which they lie."""
    table = place.spark_dir / "intermediate.db" / "int_viewing__subscriber_days"
    parts: dict[str, set[str]] = defaultdict(set)
    for file in table.rglob("*.parquet"):
        parts[str(file.parent.relative_to(table))].add(file.name)
    return parts


def test_a_dirty_service_is_released_with_the_same_rows(
    dirty: Both, parsed_for_spark: ParsedProject
) -> None:
    with sides(dirty.embedded, dirty.spark) as both:
        told = differences(both, parsed_for_spark.manifest, dirty.raw)
        ((erased,),) = both.connection.execute("select count(*) from erased_ids").fetchall()
    assert told == []
    # the service holds what the comparison is to show
    assert erased >= ERASED


def test_what_comes_later_is_added_and_ends_in_the_rows_of_a_full_build(
    grown: Grown, parsed_for_spark: ParsedProject
) -> None:
    assert grown.adds
    with sides(grown.embedded, grown.spark) as both:
        told = differences(both, parsed_for_spark.manifest, grown.raw)
    assert told == []


def test_an_increment_leaves_the_files_of_months_that_nothing_touches(grown: Grown) -> None:
    stand = {
        part for part, files in grown.files_before.items() if files == grown.files_after.get(part)
    }
    of_month = "kept_month={}-01/has_replaced_id={}"
    # of each other month somebody was late as well
    assert of_month.format("2025-11", "false") in stand
    assert stand.isdisjoint(
        of_month.format(month, "false") for month in ("2025-06", "2025-08", "2025-12")
    )
    # the ids of who was erased are others in each build
    assert not [part for part in stand if part.endswith("has_replaced_id=true")]


def mark_of(place: Warehouse) -> str:
    """The mark by which Spark is to know the last whole build again."""
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        ((mark,),) = connection.execute(f"from {increments.MARKS}").fetchall()
    return str(mark)


def test_what_others_build_on_spark_is_none_that_a_run_may_add_to(
    grown: Grown, spark: Spark, parsed_for_spark: ParsedProject
) -> None:
    assert grown.adds
    mark = mark_of(spark.place)
    assert spark.has_mark(mark)

    run_dbt(parsed_for_spark, spark.place, select=["stg_clock"], exclude=[], tests="none")

    assert not spark.has_mark(mark)


def test_the_example_is_the_same_on_both_engines(
    tmp_path: Path, fight_churn: Path, spark: Spark, parsed_for_spark: ParsedProject
) -> None:
    raw, place = tmp_path / "raw", Warehouse(tmp_path / "embedded")
    map_tables(source=fight_churn, sql=PROJECT_DIR / "examples" / "fight_churn" / "sql", out=raw)
    # with the project's own vars, as Spark builds it here
    with subprocess.Popen(command(raw, place, "embedded", variables={})) as beside:
        build_service(parsed_for_spark, raw, spark.place, tests="none", spark=spark)
    assert beside.returncode == 0
    with sides(place.build_file, spark.place.build_file) as both:
        told = differences(both, parsed_for_spark.manifest, raw)
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


def test_no_model_has_a_plan_that_one_machine_must_carry(
    grown: Grown, event_log: Path, parsed_for_spark: ParsedProject
) -> None:
    content = parsed_for_spark.manifest.content
    columns = {
        ".".join(parsed_for_spark.manifest.relation(unique_id)): list(node["columns"])
        for unique_id, node in {**content["nodes"], **content["sources"]}.items()
        if node["resource_type"] in {"model", "seed", "source"}
    }
    made = Plans.read(event_log)
    # a table that grows was made, and added to
    assert grown.adds
    tables = {
        ".".join(parsed_for_spark.manifest.relation(model["unique_id"]))
        for model in parsed_for_spark.manifest.models()
        if model["config"]["materialized"] != "view"
    }
    assert tables - set(made.by_table) == set()
    complaints = [each for each in made.complaints(columns) if each.split(":")[0] not in ALLOWED]
    assert complaints == []


def test_an_address_that_does_not_answer_is_told_and_the_release_stands(
    dirty: Both, spark: Spark, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    before = spark.place.release_file.read_bytes()
    monkeypatch.setenv("TENURE_SPARK_HOST", "127.0.0.1")
    monkeypatch.setenv("TENURE_SPARK_PORT", str(unused_port))

    with pytest.raises(
        BuildError, match=f"127.0.0.1:{unused_port} does not answer: Connection refused"
    ):
        run(dirty.raw, spark.place, "thrift")

    assert spark.place.release_file.read_bytes() == before


def test_before_somebody_is_erased_nothing_is_left_of_what_was_built(
    grown: Grown, spark: Spark, parsed_for_spark: ParsedProject
) -> None:
    assert grown.adds
    kept = {"marts", "intermediate", "basis", "staging"}
    assert {schema for schema, _ in tables_of(spark)} >= kept

    spark.drop_tables(parsed_for_spark.manifest)

    # the raw files are the owner's, and what is fitted is of no single subscriber
    assert {schema for schema, _ in tables_of(spark)} - {"raw", "reference", "fitted"} == set()


def tables_of(spark: Spark) -> set[tuple[str, str]]:
    """The tables in Spark's catalog that have files, but for views."""
    return {
        (schema, name)
        for (schema,) in spark.rows("show schemas")
        for name in named(spark, "tables", schema) - named(spark, "views", schema)
    }


def named(spark: Spark, kind: str, schema: str) -> set[str]:
    return {name for _, name, *_ in spark.rows(f"show {kind} in {schema}")}
