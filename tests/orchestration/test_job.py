"""The way as one run: exit statuses, what is released, what is left alone."""

import io
import json
import shutil
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock, Timeout
from rich.console import Console

from dashboard.render import release_of
from expectations.outcomes import CheckOutcome
from orchestration.assets import landing as landing_asset
from orchestration.commands import report
from orchestration.database.warehouse import Warehouse
from orchestration.errors import AuditError, BuildError, Fault, InputError
from orchestration.pages import dashboard_page
from orchestration.releases import audit, release
from orchestration.settings import PROJECT_DIR
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import VarValue
from tests.conftest import RunPipeline
from tests.orchestration.samples import (
    damage,
    take_expectations_away,
    write_newest_clock,
    write_people,
    write_small_project,
    write_suspicion,
    write_undecodable,
)

pytestmark = pytest.mark.usefixtures("without_expectations")


@pytest.fixture
def run_small(
    run_pipeline: RunPipeline, small_project: Path, people: Path, warehouse: Warehouse
) -> RunPipeline:
    """Runs the small project on the two people, again and again in one warehouse."""

    def run(**options: object) -> Warehouse:
        given = {"raw": people, "warehouse": warehouse, "project_dir": small_project, **options}
        return run_pipeline(given.pop("raw"), **given)

    return run


@pytest.fixture(scope="module")
def released(run_pipeline: RunPipeline, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A release of the small project that no test changes."""
    folder = tmp_path_factory.mktemp("released")
    write_people(folder / "raw", ages=[1, 2])
    with pytest.MonkeyPatch.context() as monkeypatch:
        take_expectations_away(monkeypatch)
        return run_pipeline(
            folder / "raw",
            warehouse=Warehouse(folder / "new" / "warehouse"),
            project_dir=write_small_project(folder / "project"),
            as_of="2025-12-31T23:00:00-01:00",
        )


def read(place: Warehouse, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def outcome(*, severity: str) -> CheckOutcome:
    return CheckOutcome(
        suite="release",
        expectation="people_are_young",
        table_name="marts.dim_people",
        column="age",
        severity=severity,
        failures=2,
        observed="age at p1: 2",
        why="Old people break it.",
        owner="people",
        what_to_do="Ask them.",
    )


def test_a_run_draws_the_page_of_its_release(released: Warehouse) -> None:
    ((release_id,),) = read(released, "select release_id from quality.releases")
    page = released.dashboard_page
    assert release_of(page) == release_id
    assert page.stat().st_mode & 0o777 == 0o600
    # this project has none of the marts that the page shows, and the page says so
    assert "marts.mrr_bridge_monthly is not in this release." in page.read_text(encoding="utf-8")


def test_a_page_of_another_release_is_drawn_anew(released: Warehouse, tmp_path: Path) -> None:
    place = Warehouse(tmp_path)
    shutil.copy(released.release_file, place.release_file)
    place.dashboard_page.write_text("a page of before", encoding="utf-8")
    page = dashboard_page.brought_up_to_date(place, PROJECT_DIR)
    written = page.stat().st_mtime_ns
    assert release_of(page) == release_of(released.dashboard_page)
    assert dashboard_page.brought_up_to_date(place, PROJECT_DIR) == page
    assert page.stat().st_mtime_ns == written
    with pytest.raises(InputError, match="no release"):
        dashboard_page.brought_up_to_date(Warehouse(tmp_path / "nothing"), PROJECT_DIR)


def test_a_page_that_cannot_be_written_leaves_the_release(
    released: Warehouse, tmp_path: Path
) -> None:
    place = Warehouse(tmp_path)
    shutil.copy(released.release_file, place.release_file)
    place.dashboard_page.mkdir()
    with pytest.raises(
        BuildError, match=r"the release stands, but its page .*`tenure dashboard` writes"
    ):
        dashboard_page.write(place, PROJECT_DIR)
    # no draft is left behind
    assert [path.name for path in tmp_path.glob("*.html*")] == ["index.html"]
    assert [path.name for path in tmp_path.glob(".*.html*")] == []


def test_what_the_engine_quotes_of_a_row_is_in_no_file(
    run_small: RunPipeline, people: Path, warehouse: Warehouse, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_undecodable(people, "zoe@example.org ")
    with pytest.raises(InputError, match=f"{path.name}.*not UTF-8"):
        run_small()
    assert b"zoe" in path.read_bytes()
    written = [each for each in warehouse.root.rglob("*") if each.is_file()]
    assert [each.name for each in written if b"zoe" in each.read_bytes()] == []
    assert "zoe" not in "".join(capfd.readouterr())
    # that it broke, and of which file, is there
    assert path.name in (warehouse.dbt_dir / "dbt.log").read_text(encoding="utf-8")


def test_a_run_releases_marts_with_their_account(released: Warehouse) -> None:
    place = released
    assert read(place, "select person_id, age from marts.dim_people order by 1") == [
        ("p1", 1),
        ("p2", 2),
    ]
    # a missing optional table has no rows
    assert read(place, "select visits from marts.visits_total") == [(0,)]
    ((release_id, version, parameters, row_counts, as_of),) = read(
        place,
        "select release_id, project_version, parameters, row_counts, as_of::text"
        " from quality.releases",
    )
    assert version == "9.8.7"
    # those given and those of the project
    assert json.loads(str(parameters)) == {
        "as_of": "2026-01-01 00:00:00",
        "reporting_currency": "USD",
        "reporting_timezone": "UTC",
        "past_due_grace_days": 28,
        "churn_grace_hours": 24,
        "max_quarantined_share": 0.01,
    }
    assert json.loads(str(row_counts))["marts.dim_people"] == 2
    assert as_of == "2026-01-01 00:00:00"
    assert (place.releases_dir / f"{release_id}.duckdb").exists()
    checks = read(
        place,
        "select check_name, table_name, severity, status, as_of is not null"
        " from quality.check_results order by 1",
    )
    assert checks == [
        (
            "accepted_values_dim_people_age__False__1__2__3__4__5__99",
            "marts.dim_people",
            "warning",
            "passed",
            True,
        ),
        ("assert_ages_are_known", "staging.stg_people", "error", "passed", True),
        ("assert_nobody_is_methuselah", "marts.dim_people", "error", "passed", True),
        ("never_negative_dim_people_age", "marts.dim_people", "error", "passed", True),
        ("primary_key_dim_people", "marts.dim_people", "error", "passed", True),
    ]


def test_readers_get_nothing_but_marts_and_quality(released: Warehouse) -> None:
    place = released
    schemas = read(place, "select distinct schema_name from duckdb_tables() order by 1")
    assert schemas == [("marts",), ("quality",)]


def test_descriptions_and_keys_are_carried_over(released: Warehouse) -> None:
    place = released
    assert read(place, "select comment from duckdb_tables() where table_name = 'dim_people'") == [
        ("One row per person; it's here.",)
    ]
    assert read(
        place,
        "select comment from duckdb_columns()"
        " where table_name = 'dim_people' and column_name = 'person_id'",
    ) == [("Identifies the person.",)]
    assert read(
        place,
        "select constraint_column_names from duckdb_constraints()"
        " where table_name = 'dim_people' and constraint_type = 'PRIMARY KEY'",
    ) == [(["person_id"],)]


def test_parquet_copies_say_the_same(released: Warehouse) -> None:
    place = released
    for schema, table in read(place, "select schema_name, table_name from duckdb_tables()"):
        copied = place.parquet_link / str(schema) / f"{table}.parquet"
        with duckdb.connect() as connection:
            rows = connection.execute("select * from read_parquet(?)", [str(copied)]).fetchall()
        assert sorted(rows, key=repr) == sorted(
            read(place, f"select * from {schema}.{table}"), key=repr
        )


def test_files_are_their_owners_alone(released: Warehouse) -> None:
    for path in released.root.rglob("*"):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o077 == 0, path


def test_wrong_input_found_by_a_test(
    run_small: RunPipeline, people: Path, warehouse: Warehouse
) -> None:
    write_people(people, ages=[1, None, None])
    with pytest.raises(InputError) as refused:
        run_small()
    assert refused.value.exit_status == 2
    assert "no age of person p2. Add the age." in str(refused.value)
    assert "no age of person p3" in str(refused.value)
    assert not warehouse.release_file.exists()


def test_a_failing_test_keeps_the_last_release(
    run_small: RunPipeline, people: Path, warehouse: Warehouse
) -> None:
    before = run_small().release_file.read_bytes()
    write_people(people, ages=[1, 969])
    with pytest.raises(AuditError) as refused:
        run_small()
    assert refused.value.exit_status == 3
    assert "assert_nobody_is_methuselah" in str(refused.value)
    assert warehouse.release_file.read_bytes() == before


def test_what_a_test_of_many_things_refuses_is_told_by_name(
    run_small: RunPipeline, people: Path, warehouse: Warehouse
) -> None:
    write_people(people, ages=[1, -4, -5])
    with pytest.raises(AuditError) as refused:
        run_small()
    assert "never_negative_age: 2 rows" in str(refused.value)
    assert "primary_key" not in str(refused.value)
    with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
        noted = connection.execute(
            "select check_name, column_name, status, failures, message"
            " from bookkeeping.check_results where table_name = 'marts.dim_people'"
            " and status <> 'warned' order by 1"
        ).fetchall()
    assert noted == [
        ("assert_nobody_is_methuselah", None, "passed", 0, ""),
        ("never_negative_dim_people_age", "age", "failed", 2, "Broken by 2 rows"),
        ("primary_key_dim_people", None, "passed", 0, ""),
    ]


def test_a_failing_critical_expectation_keeps_the_last_release(
    run_small: RunPipeline, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_small().release_file.read_bytes()
    plan(monkeypatch, outcome(severity="critical"))
    with pytest.raises(AuditError) as refused:
        run_small()
    assert "people_are_young: age at p1: 2" in str(refused.value)
    assert warehouse.release_file.read_bytes() == before
    with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
        noted = connection.execute(
            "select status, message from bookkeeping.check_results where kind = 'expectation'"
        ).fetchall()
    assert noted == [("failed", "age at p1: 2")]


def test_a_damaged_build_is_made_anew(
    run_small: RunPipeline, people: Path, warehouse: Warehouse
) -> None:
    run_small()
    damage(warehouse.build_file)
    write_people(people, ages=[1, 2, 3])
    assert read(run_small(), "select count(*) from marts.dim_people") == [(3,)]


def test_a_run_clears_nothing_away_while_a_rollback_is_under_way(
    run_small: RunPipeline, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right to put a release in place is the run's as often as it looks for leftovers."""
    recover, held = release.recover, []

    def look(place: Warehouse, **options: bool) -> None:
        with pytest.raises(Timeout):
            FileLock(place.root / ".release.lock").acquire(timeout=0)
        held.append(place)
        recover(place, **options)

    monkeypatch.setattr(release, "recover", look)
    run_small()
    assert held == [warehouse, warehouse]


def test_a_full_refresh_is_made_in_a_new_file(
    run_small: RunPipeline, people: Path, warehouse: Warehouse
) -> None:
    """What is damaged deep inside opens, and breaks whatever reads it."""
    run_small()
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute("create schema left_over")
    for full_refresh in (False, True):
        run_small(full_refresh=full_refresh)
        with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
            (found,) = connection.execute(
                "select count(*) from duckdb_schemas() where schema_name = 'left_over'"
            ).fetchall()
        assert found == (0 if full_refresh else 1,)


def test_warnings_are_released_and_told(
    run_small: RunPipeline, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(monkeypatch, outcome(severity="warning"))
    write_people(people, ages=[1, 7])
    place = run_small()
    assert read(
        place,
        "select kind, status, failures, column_name from quality.check_results"
        " where status <> 'passed' order by 1",
    ) == [("data test", "warned", 1, "age"), ("expectation", "warned", 2, "age")]
    console = Console(record=True, width=200, file=io.StringIO())
    report.print_status(console, place, {})
    told = console.export_text()
    assert "people_are_young: age at p1: 2. Ask them." in told
    assert "Checks passed: 4 of 5 data tests, 0 of 1 expectations" in told


def test_what_is_only_suspicious_is_told_before_what_fails(
    run_small: RunPipeline,
    small_project: Path,
    people: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_suspicion(small_project)
    write_people(people, ages=[101, None])
    with pytest.raises(InputError, match="no age of person p2"):
        run_small()
    assert "warning: an age of 101 is unlikely. Ask again." in capsys.readouterr().err


def test_a_row_that_would_set_the_horizon_to_another_century_is_refused(
    run_small: RunPipeline, small_project: Path, people: Path, warehouse: Warehouse
) -> None:
    write_newest_clock(small_project)
    stands = run_small().release_file.read_bytes()
    with (people / "people" / "people.csv").open("a", encoding="utf-8") as file:
        file.write("p9,9,9999-12-31 23:59:59\n")
    with pytest.raises(InputError, match="table people: 1 of its rows are recorded in 2200"):
        run_small()
    assert warehouse.release_file.read_bytes() == stands
    assert run_small(as_of="2026-01-01").release_file.read_bytes() != stands


def test_quarantined_rows_are_told(run_small: RunPipeline, people: Path) -> None:
    write_people(people, ages=[1, 99, 99])
    console = Console(record=True, width=200, file=io.StringIO())
    report.print_status(console, run_small(), {})
    assert "people: 2 of 3" in console.export_text()


def test_a_model_that_breaks(
    run_small: RunPipeline, small_project: Path, warehouse: Warehouse
) -> None:
    path = small_project / "models" / "marts" / "visits_total.sql"
    path.write_text("select cast(error('out of cheese') as bigint) as visits")
    with pytest.raises(BuildError) as broke:
        run_small()
    assert broke.value.exit_status == 1
    assert "visits_total" in str(broke.value)
    assert "out of cheese" in str(broke.value)
    assert not warehouse.release_file.exists()


def test_a_project_that_does_not_parse(run_small: RunPipeline, small_project: Path) -> None:
    (small_project / "models" / "marts" / "visits_total.sql").write_text("{{ ref('nowhere') }}")
    with pytest.raises(BuildError, match="does not parse"):
        run_small()


def test_a_file_damaged_in_its_middle(
    run_small: RunPipeline, people: Path, warehouse: Warehouse
) -> None:
    path = people / "people" / "more.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'q' || uuid()::text as person_id, 1 as age,"
            " timestamp '2025-01-01' as recorded_at from range(50000))"
            f" to '{path}' (format parquet)"
        )
    content = bytearray(path.read_bytes())
    content[1000:200000] = b"\xff" * 199000
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        run_small()
    assert str(path) in str(refused.value)
    assert not warehouse.release_file.exists()


def test_a_file_that_is_cut_once_the_gate_has_seen_it(
    run_small: RunPipeline, people: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = people / "people" / "more.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'q' as person_id, 1 as age, timestamp '2025-01-01' as recorded_at)"
            f" to '{path}' (format parquet)"
        )
    check_horizon = landing_asset.check_horizon

    def check_and_cut(
        connection: duckdb.DuckDBPyConnection, manifest: Manifest, as_of: VarValue
    ) -> tuple[Fault, ...]:
        faults = check_horizon(connection, manifest, as_of)
        path.write_bytes(path.read_bytes()[:100])
        return faults

    monkeypatch.setattr(landing_asset, "check_horizon", check_and_cut)
    with pytest.raises(InputError, match="can't be read to its end") as refused:
        run_small()
    assert str(path) in str(refused.value)
    assert not warehouse.release_file.exists()


def test_an_empty_service_gives_empty_marts(run_small: RunPipeline, people: Path) -> None:
    write_people(people, ages=[])
    assert read(run_small(), "select count(*) from marts.dim_people") == [(0,)]


def plan(monkeypatch: pytest.MonkeyPatch, result: CheckOutcome) -> None:
    """Makes one expectation be planned and come out so."""
    planned = audit.PlannedCheck(
        name=audit.name_of(result.suite, result.expectation),
        asset=audit.asset_of(result.table_name),
        why=result.why,
    )
    monkeypatch.setattr(audit, "planned_checks", lambda: (planned,))
    monkeypatch.setattr(audit, "judge", lambda _warehouse: [result])
