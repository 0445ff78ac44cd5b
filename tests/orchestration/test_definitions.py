"""The graph, the schedule and the sensor as Dagster evaluates them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from orchestration.database.warehouse import Warehouse
from orchestration.definitions import compose
from orchestration.progress import LineReporter
from orchestration.raw.contract import RawContract
from orchestration.releases.kept import kept_releases
from orchestration.settings import PROJECT_DIR, RunRequest, Settings
from orchestration.transform.data_tests import rules_of
from orchestration.transform.manifest import RELEASED_SCHEMAS, Manifest
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject
from orchestration.triggers import JOB, build_raw_files_sensor
from tests.orchestration.samples import write_people, write_table


@pytest.fixture(scope="module")
def definitions(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    folder = tmp_path_factory.mktemp("definitions")
    settings = Settings(raw=folder / "raw", warehouse=folder / "warehouse")
    return compose(RunRequest(settings), manifest, reporter=LineReporter(Console(stderr=True)))


def test_the_graph_reads_from_raw_to_release(
    definitions: dg.Definitions, contract: RawContract, manifest: Manifest
) -> None:
    graph = definitions.resolve_asset_graph()
    release = dg.AssetKey("release")
    upstream = dg.AssetSelection.assets(release).upstream().resolve(graph)
    assert {dg.AssetKey(["raw", table.name]) for table in contract.tables} <= upstream
    released = {dg.AssetKey([table.schema, table.name]) for table in manifest.released_tables()}
    assert released <= upstream
    assert graph.get(release).parent_keys == {dg.AssetKey("audit")}
    assert graph.get(dg.AssetKey("dashboard")).parent_keys == {release}


def test_every_mart_says_in_dagster_whose_it_is_and_what_it_holds(
    definitions: dg.Definitions, manifest: Manifest
) -> None:
    graph = definitions.resolve_asset_graph()
    owners = {
        (node["schema"], node["alias"]): node["config"]["meta"]["owner"]
        for node in manifest.models()
        if node["schema"] == "marts"
    }
    assert owners
    for key, owner in owners.items():
        asset = graph.get(dg.AssetKey(key))
        assert asset.owners == [f"team:{owner}"]
        assert asset.group_name == "marts"
        assert "One row per" in (asset.description or "")
        assert "duckdb" in asset.kinds


def test_raw_tables_are_landed_by_the_job_not_taken_as_given(
    definitions: dg.Definitions, contract: RawContract
) -> None:
    graph = definitions.resolve_asset_graph()
    for table in contract.tables:
        assert graph.get(dg.AssetKey(["raw", table.name])).is_materializable


def test_all_that_data_tests_hold_is_a_check_of_one_asset(
    definitions: dg.Definitions, manifest: Manifest
) -> None:
    graph = definitions.resolve_asset_graph()
    checks = [key.name for key in graph.asset_check_keys]
    rules = [
        rule.name
        for node in manifest.content["nodes"].values()
        if node["resource_type"] == "test"
        for rule in rules_of(node)
    ]
    assert len(rules) > len(set(checks) - set(rules)) > 0
    assert len(set(rules)) == len(rules)
    assert set(rules) <= set(checks)


def test_a_run_of_dagsters_own_records_each_check_and_runs_one_alone(
    small_project: Path, people: Path, warehouse: Warehouse, without_expectations: None
) -> None:
    write_people(people, ages=[1, -4])
    settings = Settings(raw=people, warehouse=warehouse.root, project_dir=small_project)
    parameters = check_parameters(small_project).parameters
    manifest = DbtProject(small_project).manifest(warehouse, parameters)
    key = dg.AssetKey(["marts", "dim_people"])
    alone = dg.AssetSelection.checks(dg.AssetCheckKey(key, "never_negative_dim_people_age"))
    definitions = dg.Definitions.merge(
        compose(RunRequest(settings), manifest, reporter=LineReporter(Console(stderr=True))),
        dg.Definitions(jobs=[dg.define_asset_job("alone", selection=alone)]),
    )
    recorded = []
    for job in (JOB, "alone"):
        with dg.DagsterInstance.ephemeral() as instance:
            result = definitions.resolve_job_def(job).execute_in_process(
                instance=instance, raise_on_error=False
            )
        recorded.append(
            {
                check.check_name: (check.passed, check.metadata["failing rows"].value)
                for check in result.get_asset_check_evaluations()
                if check.asset_key == key and "accepted" not in check.check_name
            }
        )
    whole, one = recorded
    assert whole == {
        "assert_nobody_is_methuselah": (True, 0),
        "never_negative_dim_people_age": (False, 1),
        "primary_key_dim_people": (True, 0),
    }
    assert one == {"never_negative_dim_people_age": (False, 1)}


def test_what_is_built_alone_is_not_released(
    small_project: Path, people: Path, warehouse: Warehouse, without_expectations: None
) -> None:
    """Its checks were not asked, and those of the last build were of other rows."""
    settings = Settings(raw=people, warehouse=warehouse.root, project_dir=small_project)
    parameters = check_parameters(small_project).parameters
    manifest = DbtProject(small_project).manifest(warehouse, parameters)
    mart = dg.AssetSelection.assets(dg.AssetKey(["marts", "dim_people"])).without_checks()
    definitions = dg.Definitions.merge(
        compose(RunRequest(settings), manifest, reporter=LineReporter(Console(stderr=True))),
        dg.Definitions(
            jobs=[
                dg.define_asset_job("mart", selection=mart),
                dg.define_asset_job("publish", selection=dg.AssetSelection.assets("release")),
            ]
        ),
    )
    ended = []
    for job in (JOB, "publish", "mart", "publish"):
        with dg.DagsterInstance.ephemeral() as instance:
            result = definitions.resolve_job_def(job).execute_in_process(
                instance=instance, raise_on_error=False
            )
        ended.append(result.success)
    assert ended == [True, True, True, False]
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "the audit and the build of this data did not pass" in str(
        failure.step_failure_data.user_failure_data
    )
    assert len(kept_releases(warehouse)) == 2


def test_expectations_are_checks_too(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    of_marts = {
        key
        for key in graph.asset_check_keys
        if key.name.startswith("release__") and key.asset_key.path[0] in RELEASED_SCHEMAS
    }
    of_feeds = {
        key
        for key in graph.asset_check_keys
        if key.name.startswith("feed_") and key.asset_key.path[0] == "raw"
    }
    assert of_marts
    assert of_feeds


def test_the_job_takes_one_step_at_a_time(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def(JOB)
    assert job.executor_def is dg.in_process_executor
    assert {node.definition.pool for node in job.nodes} == {"duckdb"}


def test_the_schedule_starts_the_job_daily(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("refresh_daily")
    assert schedule.job_name == JOB
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 1, 1, 5, tzinfo=UTC)
    )
    (request,) = schedule.evaluate_tick(context).run_requests
    assert request.run_key is None
    assert schedule.cron_schedule == "0 5 * * *"


def test_definitions_load_for_dagsters_own_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from orchestration.definitions import tenure

    monkeypatch.setenv("TENURE_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setenv("TENURE_RAW", str(tmp_path / "raw"))
    loaded = tenure()
    assert loaded.resolve_job_def(JOB).name == JOB
    # nothing changed since, so the second process need not parse again
    manifest = tmp_path / "warehouse" / "dbt" / "manifest.json"
    parsed_at = manifest.stat().st_mtime_ns
    tenure()
    assert manifest.stat().st_mtime_ns == parsed_at


class Looks:
    """A sensor's looks at a raw folder, one after another."""

    def __init__(self, raw: Path, contract: RawContract) -> None:
        self.sensor = build_raw_files_sensor(raw=raw, contract=contract)
        self.cursor: str | None = None
        self.instance = dg.DagsterInstance.ephemeral()

    def look(self) -> str | None:
        """The key of the run that is asked for, if one is."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, sensor_name=self.sensor.name
        )
        tick = self.sensor.evaluate_tick(context)
        self.cursor = tick.cursor
        if not tick.run_requests:
            assert tick.skip_message
            return None
        (request,) = tick.run_requests
        return request.run_key


def test_the_sensor_asks_once_for_new_files_that_rest(
    full_raw: Path, contract: RawContract
) -> None:
    looks = Looks(full_raw, contract)
    assert looks.look() is None
    first = looks.look()
    assert first is not None
    assert looks.look() is None
    write_table(full_raw / "payments" / "new.parquet", "payments", contract)
    assert looks.look() is None
    write_table(full_raw / "payments" / "newer.parquet", "payments", contract)
    assert looks.look() is None
    second = looks.look()
    assert second not in {None, first}
    assert looks.look() is None
    # a bad file that is taken away leaves a folder that was asked for once, by a key that has run
    for name in ("new", "newer"):
        (full_raw / "payments" / f"{name}.parquet").unlink()
    assert looks.look() is None
    assert looks.look() not in {None, first, second}


def test_the_sensor_waits_for_a_folder(tmp_path: Path, contract: RawContract) -> None:
    assert Looks(tmp_path / "nowhere", contract).look() is None


def test_telemetry_is_off_in_the_projects_own_settings() -> None:
    import yaml

    settings = yaml.safe_load((PROJECT_DIR / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["concurrency"]["pools"]["default_limit"] == 1
    flags = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["flags"]
    assert flags["send_anonymous_usage_stats"] is False


def test_unused_json_of_a_cursor_is_no_fault(full_raw: Path, contract: RawContract) -> None:
    looks = Looks(full_raw, contract)
    looks.cursor = json.dumps({})
    assert looks.look() is None
    assert looks.look() is not None
