"""What `tenure check` says of raw data."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from orchestration.commands import fitness, report
from orchestration.progress import LineReporter
from orchestration.settings import PROJECT_DIR, RunRequest, Settings
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import check_parameters
from tests.orchestration.samples import (
    write_newest_clock,
    write_people,
    write_suspicion,
    write_undecodable,
)

Check = Callable[..., tuple[fitness.Fitness, str]]


@pytest.fixture
def check(small_project: Path, people: Path, tmp_path: Path) -> Check:
    def run(
        *, as_of: str | None = None, variables: str | None = None
    ) -> tuple[fitness.Fitness, str]:
        settings = Settings(raw=people, warehouse=tmp_path / "untouched", project_dir=small_project)
        request = RunRequest(settings, as_of=as_of, variables=variables)
        found = fitness.check(request, LineReporter(Console(stderr=True)))
        console = Console(record=True, width=300, file=io.StringIO())
        report.print_check(console, found)
        assert not settings.warehouse.exists()
        return found, console.export_text()

    return run


def test_fit_data(check: Check) -> None:
    found, told = check()
    assert found.is_fit
    assert "Fit for a run" in told
    assert found.absent_tables == ("visits",)
    assert "visits (none came: read as a table with no rows) leads to: visits_total" in told
    assert found.empty_marts == ()


@pytest.fixture
def visits_by_person(small_project: Path) -> None:
    """A mart that has a row for whoever came."""
    marts = small_project / "models" / "marts"
    (marts / "visits_by_person.sql").write_text(
        "select person_id, count(*) as visits from {{ source('raw', 'visits') }} group by person_id"
    )
    (marts / "visits_by_person.yml").write_text(
        "models:\n"
        "  - name: visits_by_person\n"
        "    config: {meta: {rows_from: [visits]}}\n"
        "    columns:\n"
        "      - {name: person_id, data_type: varchar}\n"
        "      - {name: visits, data_type: bigint}\n"
    )


@pytest.mark.usefixtures("visits_by_person")
def test_a_table_that_did_not_come_leaves_its_mart_empty(check: Check, people: Path) -> None:
    found, told = check()
    assert found.empty_marts == ("visits_by_person",)
    assert "Empty for want of tables that did not come: visits_by_person" in told
    (people / "visits").mkdir()
    header = "visit_id,person_id,recorded_at\n"
    (people / "visits" / "day.csv").write_text(f"{header}v1,p1,2025-06-01 00:00:00\n")
    found, told = check()
    assert found.empty_marts == ()
    assert "Empty" not in told


def test_rows_that_are_only_suspicious(
    check: Check, small_project: Path, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_suspicion(small_project)
    write_people(people, ages=[1, 101])
    found, _ = check()
    assert found.is_fit
    assert "warning: an age of 101 is unlikely. Ask again." in capsys.readouterr().err


def test_a_row_that_would_set_the_horizon_to_another_century(
    check: Check, small_project: Path, people: Path
) -> None:
    write_newest_clock(small_project)
    with (people / "people" / "people.csv").open("a", encoding="utf-8") as file:
        file.write("p9,9,9999-12-31 23:59:59\n")
    found, told = check()
    assert not found.are_rows_judged
    assert "table people: 1 of its rows are recorded in 2200 or later" in told


def test_rows_that_break_rules(check: Check, people: Path) -> None:
    write_people(people, ages=[1, 2, 99, 99, None])
    found, told = check()
    assert not found.is_fit
    assert found.broken_rules == (
        fitness.BrokenRule("people", "methuselah", "Nobody is that old", 2),
    )
    assert "people: 2 rows against methuselah. Nobody is that old." in told
    assert "- no age of person p5. Add the age." in told
    assert "2 of 5 rows against a rule, more than the share of 0.01" in told
    assert "people (faulty) leads to: dim_people" in told


def test_rows_that_are_few_enough_for_such_a_run(check: Check, people: Path) -> None:
    write_people(people, ages=[1, 2, 99, 99])
    found, told = check(variables='{"max_quarantined_share": 0.5}')
    assert found.is_fit
    assert "people: 2 rows against methuselah" in told


def test_rows_that_such_a_run_would_not_know_yet(
    check: Check, small_project: Path, people: Path
) -> None:
    test = small_project / "tests" / "dbt" / "assert_ages_are_known.sql"
    known = "recorded_at < (select as_of from {{ ref('stg_clock') }})"
    test.write_text(f"{test.read_text()} and {known}")
    write_people(people, ages=[1, None])
    found, _ = check()
    assert not found.is_fit
    found, _ = check(as_of="2020-01-01T00:00:00Z")
    assert found.is_fit


def test_vars_that_no_run_would_take(check: Check, people: Path) -> None:
    write_people(people, ages=[99])
    variables = '{"max_quarantined_share": "half", "reporting_timezone": "Mars/Olympus"}'
    found, told = check(as_of="yesterday", variables=variables)
    assert len(found.faults) == 3
    assert not found.are_rows_judged
    assert "as_of is 'yesterday'" in told
    assert "The rows were not judged: mend what is wrong and check again" in told


def test_faults_of_shape_with_what_they_cost(check: Check, people: Path) -> None:
    shutil.rmtree(people / "people")
    found, told = check()
    assert not found.is_fit
    assert found.broken_rules == ()
    assert "people (faulty) leads to: dim_people" in told
    assert "table people: required table is missing" in told
    assert "The rows were not judged: mend what is wrong and check again" in told
    assert told.rstrip().endswith("Not fit for a run: 1 fault")


def test_no_folder(check: Check, people: Path) -> None:
    shutil.rmtree(people)
    found, told = check()
    assert not found.is_fit
    assert "does not exist" in told


@pytest.mark.parametrize(
    ("marts", "told"),
    [
        ([], "no mart"),
        (["b1", "a1"], "b1, a1"),
        ([*"abcdefgh"], "8 of 20 marts: letters (all)"),
        ([*"abcdefgh", "1"], "9 of 20 marts: letters (all), numbers (1 of 12)"),
        ([*"abcdefgh", *map(str, range(2, 12))], "all marts but 0, 1"),
        ([*"abcdefgh", *map(str, range(12))], "all 20 marts"),
    ],
)
def test_many_marts_are_told_by_area(marts: list[str], told: str) -> None:
    areas = {"letters": [*"abcdefgh"], "numbers": [*map(str, range(12))]}
    assert report._marts_in_short(marts, areas) == told  # noqa: SLF001


def test_lineage_of_the_real_project(manifest: Manifest) -> None:
    assert "dim_titles" in manifest.marts_from("titles")
    assert "mrr_bridge_monthly" not in manifest.marts_from("titles")
    assert "mrr_bridge_monthly" in manifest.marts_from("exchange_rates")
    assert manifest.marts_from("no_such_table") == ()


def test_marts_of_the_real_project_that_are_empty_without_a_table(manifest: Manifest) -> None:
    assert manifest.marts_empty_without(["titles"]) == ("dim_titles",)
    assert manifest.marts_empty_without(["support_tickets"]) == ("tickets_monthly",)
    assert manifest.marts_empty_without(["survey_responses"]) == ()
    assert manifest.marts_empty_without(["survey_responses", "support_tickets"]) == (
        "feedback_monthly",
        "tickets_monthly",
    )


def test_text_that_is_none_is_told_and_no_row_is_judged(check: Check, people: Path) -> None:
    path = write_undecodable(people, "zoe@example.org ")
    found, told = check()
    assert not found.is_fit
    assert f"{path.name}, table people: it holds text that is not UTF-8" in told
    assert "The rows were not judged" in told
    assert "zoe" not in told


def test_requests_of_people_who_are_gone_are_no_quarantine_to_mind() -> None:
    """As in a run: of three requests one is for somebody who is in no file any more."""
    parameters = check_parameters(PROJECT_DIR).parameters
    with duckdb.connect() as connection:
        connection.execute("create schema quality")
        connection.execute(
            "create table quality.row_reconciliation as from (values"
            " ('erasure_requests', 3, 1), ('plans', 3, 0))"
            " as counted (table_name, raw_rows, quarantined_rows)"
        )
        connection.execute(
            "create table quality.quarantined_rows as from (values"
            " ('erasure_requests', 'missing_reference')) as rejected (table_name, rule)"
        )
        assert fitness.tables_over_limit(connection, parameters) == []
        connection.execute("update quality.quarantined_rows set rule = 'null_value'")
        (fault,) = fitness.tables_over_limit(connection, parameters)
        assert fault.table == "erasure_requests"
        # of another table such a row counts
        connection.execute(
            "update quality.quarantined_rows set table_name = 'plans', rule = 'missing_reference';"
            "update quality.row_reconciliation set quarantined_rows = 1 - quarantined_rows"
        )
        (fault,) = fitness.tables_over_limit(connection, parameters)
        assert fault.table == "plans"
