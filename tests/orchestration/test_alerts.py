"""What a run tells when it ends, on the small project and a real server on this machine."""

import io
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from rich.console import Console

from expectations.outcomes import CheckOutcome
from orchestration import alerts, refresh_job
from orchestration.alert_triggers import build_late_sensor, error_of
from orchestration.cli import main
from orchestration.database.warehouse import Warehouse
from orchestration.definitions import compose
from orchestration.errors import AuditError, BuildError, InputError, StoppedError
from orchestration.progress import LineReporter
from orchestration.releases import audit
from orchestration.settings import RunRequest, Settings
from orchestration.transform.failing_rows import failing_keys
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject
from orchestration.triggers import JOB
from tests.alerting.conftest import no_names_are_looked_up, no_settings, web
from tests.orchestration.samples import damage, write_people
from tests.web_server import WebServer

__all__ = ["no_names_are_looked_up", "no_settings", "web"]

RunSmall = Callable[[], str]


@pytest.fixture
def run_small(
    small_project: Path,
    people: Path,
    warehouse: Warehouse,
    without_expectations: None,
) -> RunSmall:
    """Runs the small project; returns what it said. Raises what the run ends with."""
    console = Console(file=io.StringIO(), width=200)

    def run() -> str:
        settings = Settings(raw=people, warehouse=warehouse.root, project_dir=small_project)
        try:
            refresh_job.run(RunRequest(settings), LineReporter(console))
        finally:
            run.said = console.file.getvalue()  # type: ignore[attr-defined]
        return run.said  # type: ignore[attr-defined]

    return run


@pytest.fixture
def webhook(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> WebServer:
    monkeypatch.setenv("TENURE_ALERT_WEBHOOK_URL", web.address)
    monkeypatch.setenv("TENURE_ALERT_WEBHOOK_SECRET", "the-secret")
    return web


def told(web: WebServer) -> list[dict[str, Any]]:
    """All alerts that the server got, in their order; the server forgets them."""
    found = [alert for each in web.requests for alert in json.loads(each.body)["alerts"]]
    web.requests.clear()
    return found


def events(web: WebServer) -> list[tuple[str, str]]:
    return [(alert["event"], alert["incident"]) for alert in told(web)]


METHUSELAH = "assert_nobody_is_methuselah@marts.visits_total"


def test_from_a_refused_release_to_the_all_clear(
    run_small: RunSmall, people: Path, webhook: WebServer
) -> None:
    run_small()
    assert told(webhook) == []
    write_people(people, ages=[1, 969])
    with pytest.raises(AuditError):
        run_small()
    first, second = told(webhook)
    by_check = {alert["check"].partition("__")[0]: alert for alert in (first, second)}
    refused = by_check["assert_nobody_is_methuselah"]
    assert refused["event"] == "new"
    assert refused["severity"] == "critical"
    assert "Failed by 1 row. Readers keep release 2" in refused["what"]
    assert refused["runbook"] == "docs/runbook.md#assert_nobody_is_methuselah"
    # the age of 969 is only a warning to the list of ages
    warned = by_check["accepted_values_dim_people_age"]
    assert (warned["severity"], warned["marts"]) == ("warning", ["dim_people"])
    assert warned["runbook"] == "docs/runbook.md#test_accepted_values"
    with pytest.raises(AuditError):
        run_small()
    assert told(webhook) == []
    write_people(people, ages=[1, -2])
    with pytest.raises(AuditError):
        run_small()
    by_check = {alert["check"]: alert for alert in told(webhook)}
    negative = by_check["never_negative_dim_people_age"]
    assert negative["runbook"] == "docs/runbook.md#test_never_negative"
    assert negative["keys"] == ["person_id p2"]
    assert "primary_key_dim_people" not in by_check
    write_people(people, ages=[1, 2])
    run_small()
    assert {event for event, _ in events(webhook)} == {"recovered"}


def test_a_warehouse_that_can_not_be_made_is_told(
    run_small: RunSmall, warehouse: Warehouse, webhook: WebServer
) -> None:
    shutil.rmtree(warehouse.root, ignore_errors=True)
    warehouse.root.write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match=f"{warehouse.root} is no folder"):
        run_small()
    (failed,) = told(webhook)
    assert failed["incident"] == "run_exit_2@run"
    assert f"the warehouse {warehouse.root} can't be made" in failed["what"]


def test_wrong_input_and_a_broken_run_are_told_with_their_exit_status(
    run_small: RunSmall, people: Path, small_project: Path, webhook: WebServer
) -> None:
    write_people(people, ages=[1, None])
    with pytest.raises(InputError):
        run_small()
    (asked,) = told(webhook)
    assert asked["incident"] == "assert_ages_are_known@staging.stg_people"
    assert "no age of person p2. Add the age." in asked["what"]
    assert asked["marts"] == ["dim_people"]

    (people / "people" / "people.csv").unlink()
    (people / "people").rmdir()
    with pytest.raises(InputError):
        run_small()
    (missing,) = told(webhook)
    assert missing["incident"] == "run_exit_2@run"
    assert "table people: required table is missing" in missing["what"]
    assert missing["marts"] == ["dim_people", "visits_total"]
    assert missing["runbook"] == "docs/runbook.md#run_exit_2"

    write_people(people, ages=[1])
    model = small_project / "models" / "marts" / "visits_total.sql"
    model.write_text("select cast(error('jane.doe@example.com') as bigint) as visits")
    with pytest.raises(BuildError, match="jane"):
        run_small()
    (broke,) = told(webhook)
    assert broke["incident"] == "run_exit_1@run"
    assert "Steps that broke: visits_total" in broke["what"]
    assert "jane" not in json.dumps(broke)


def test_a_server_that_is_down_changes_nothing_but_a_line(
    run_small: RunSmall,
    people: Path,
    warehouse: Warehouse,
    web: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_people(people, ages=[1, 7])
    monkeypatch.setenv("TENURE_ALERT_SLACK_URL", "http://127.0.0.1:1/hush")
    monkeypatch.setattr("alerting.senders.LONGEST_WAIT_SECONDS", 0.0)
    said = run_small()
    assert "alerts: could not be delivered by slack (ConnectError); 1 wait" in said
    assert "hush" not in said
    assert warehouse.release_file.exists()
    monkeypatch.setenv("TENURE_ALERT_SLACK_URL", web.address)
    assert "alerts: 1 told by slack" in run_small()
    assert len(web.requests) == 1
    for path in warehouse.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert b"hush" not in path.read_bytes(), path
            assert path.stat().st_mode & 0o077 == 0, path


def test_what_waits_is_sent_before_the_first_release_too(
    run_small: RunSmall,
    people: Path,
    warehouse: Warehouse,
    web: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_people(people, ages=[1, None])
    monkeypatch.setenv("TENURE_ALERT_WEBHOOK_SECRET", "the-secret")
    monkeypatch.setenv("TENURE_ALERT_WEBHOOK_URL", "http://127.0.0.1:1/hush")
    monkeypatch.setattr("alerting.senders.LONGEST_WAIT_SECONDS", 0.0)
    with pytest.raises(InputError):
        run_small()
    monkeypatch.setenv("TENURE_ALERT_WEBHOOK_URL", web.address)
    said = alerts.watch(warehouse, now=datetime.now(UTC) + timedelta(hours=1))
    assert said[0] == "no release yet, so that none can be late"
    (sent,) = told(web)
    assert sent["incident"] == "assert_ages_are_known@staging.stg_people"


def test_a_damaged_release_is_told(
    run_small: RunSmall, warehouse: Warehouse, webhook: WebServer
) -> None:
    run_small()
    damage(warehouse.release_file)
    with pytest.raises(BuildError, match="is damaged"):
        run_small()
    (broke,) = told(webhook)
    assert broke["incident"] == "run_exit_1@run"
    assert broke["what"] == "The run broke. The release that stands can't be read."


def test_a_defect_of_alerting_is_a_line_and_no_other_end(
    warehouse: Warehouse, webhook: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("hush")

    monkeypatch.setattr(alerts, "troubles", break_down)
    said: list[str] = []
    alerts.run_ended(warehouse, said.append, began=datetime.now(UTC), error=None)
    assert said == ["alerts: not told, ZeroDivisionError: see tenure alerts test"]
    monkeypatch.setenv("TENURE_ALERT_SMTP_PORT", "hush")
    alerts.run_ended(warehouse, said.append, began=datetime.now(UTC), error=None)
    assert "TENURE_ALERT_SMTP_PORT" in said[1]
    assert "hush" not in said[1]


@pytest.mark.parametrize("error", [None, BuildError("broke")])
def test_without_settings_nothing_happens(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setattr(alerts, "_follow_up", pytest.fail)
    alerts.run_ended(warehouse, pytest.fail, began=datetime.now(UTC), error=error)


def test_who_stops_a_run_is_not_told_of_it(warehouse: Warehouse, webhook: WebServer) -> None:
    alerts.run_ended(warehouse, pytest.fail, began=datetime.now(UTC), error=StoppedError())
    assert webhook.requests == []


def test_the_books_of_an_earlier_run_are_not_this_runs(
    run_small: RunSmall, people: Path, warehouse: Warehouse, webhook: WebServer
) -> None:
    write_people(people, ages=[1, 7])
    began = datetime.now(UTC)
    run_small()
    assert len(alerts.troubles(warehouse, began=began, error=None)) == 1
    with duckdb.connect(str(warehouse.build_file)) as connection:
        # as the next run does, as soon as it has the build
        connection.execute("delete from bookkeeping.check_results")
    assert len(alerts.troubles(warehouse, began=began, error=None)) == 1
    later = datetime.now(UTC)
    (own,) = alerts.troubles(warehouse, began=later, error=BuildError("broke"))
    assert own.check == "run_exit_1"


def test_a_failed_expectation_is_told_by_its_own_page(
    run_small: RunSmall, webhook: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = CheckOutcome(
        suite="feed_people",
        expectation="feed_is_fresh",
        table_name="people",
        column="all",
        severity="warning",
        failures=1,
        observed="silent_days at 2026-01-01: 3",
        why="Nobody came.",
        owner="accounts",
        what_to_do="Ask them.",
    )
    name = audit.name_of(stale.suite, stale.expectation)
    planned = audit.PlannedCheck(name, audit.asset_of(stale.table_name), stale.why)
    monkeypatch.setattr(audit, "planned_checks", lambda: (planned,))
    monkeypatch.setattr(audit, "judge", lambda _warehouse: [stale])
    run_small()
    (alert,) = told(webhook)
    assert alert["incident"] == "feed_is_fresh@raw.people"
    assert alert["what"] == "silent_days at 2026-01-01: 3."
    assert alert["marts"] == ["dim_people"]
    assert alert["owner"] == "accounts"
    assert alert["runbook"] == "docs/runbook.md#feed_people__feed_is_fresh"


def test_a_job_of_dagsters_pages_tells_its_end_once(
    small_project: Path,
    people: Path,
    warehouse: Warehouse,
    webhook: WebServer,
    without_expectations: None,
) -> None:
    write_people(people, ages=[1, 969])
    settings = Settings(raw=people, warehouse=warehouse.root, project_dir=small_project)
    parsed = DbtProject(small_project).parse(warehouse, check_parameters(small_project).parameters)
    job = compose(
        RunRequest(settings),
        parsed.manifest,
        reporter=LineReporter(Console(file=io.StringIO())),
        tells_its_end=True,
    ).resolve_job_def(JOB)

    def run() -> list[tuple[str, str]]:
        with dg.DagsterInstance.ephemeral() as instance:
            job.execute_in_process(
                instance=instance, run_config=refresh_job.QUIET, raise_on_error=False
            )
        return sorted(events(webhook))

    first = run()
    assert [event for event, _ in first] == ["new", "new"]
    write_people(people, ages=[1, 2])
    assert run() == [("recovered", incident) for _, incident in first]


def test_a_failure_of_a_step_is_the_error_that_it_was_told_as() -> None:
    failure = dg.Failure("no", metadata={"exit_status": 3})
    assert isinstance(error_of(failure), AuditError)
    assert isinstance(error_of(ZeroDivisionError()), ZeroDivisionError)


def test_a_release_is_late_until_the_next_one(
    run_small: RunSmall, warehouse: Warehouse, webhook: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    assert alerts.watch(warehouse, now=now) == ["no release yet, so that none can be late"]
    run_small()
    monkeypatch.setenv("TENURE_ALERT_LATE_AFTER_HOURS", "26")
    alerts.watch(warehouse, now=now + timedelta(hours=25.9))
    assert told(webhook) == []
    said = alerts.watch(warehouse, now=now + timedelta(hours=27))
    assert "more than 26 hours ago" in said[0]
    (late,) = told(webhook)
    assert late["incident"] == "release_is_late@run"
    assert late["marts"] == ["dim_people", "visits_total"]
    began = datetime.fromisoformat(late["since"]) - now
    assert timedelta(hours=26) <= began < timedelta(hours=26.1)
    alerts.watch(warehouse, now=now + timedelta(hours=28))
    assert told(webhook) == []
    run_small()
    assert events(webhook) == [("recovered", "release_is_late@run")]
    evaluated = build_late_sensor(warehouse)(dg.build_sensor_context())
    assert isinstance(evaluated, dg.SkipReason)
    assert "is not late" in str(evaluated.skip_message)


@pytest.mark.parametrize("command", ["watch", "status"])
@pytest.mark.parametrize("is_file", [False, True])
def test_a_warehouse_that_is_none_is_wrong_usage_and_nothing_is_made(
    tmp_path: Path,
    webhook: WebServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    *,
    is_file: bool,
) -> None:
    folder = tmp_path / "new" / "slip"
    if is_file:
        folder = tmp_path / "notes.txt"
        folder.write_text("a file", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("sys.argv", ["tenure", "alerts", command, "--warehouse", str(folder)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said == f"- there is no warehouse {folder}. Name one with --warehouse.\n"
    assert sorted(tmp_path.rglob("*")) == before
    assert webhook.requests == []


def test_an_empty_warehouse_has_no_release_yet_and_what_watch_makes_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_ALERT_SLACK_URL", "http://127.0.0.1:1/hush")
    place = Warehouse(tmp_path)
    before = os.umask(0)
    try:
        said = alerts.watch(place, now=datetime.now(UTC))
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert said == ["no release yet, so that none can be late"]
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_test_message_needs_no_warehouse_and_makes_none(
    tmp_path: Path, webhook: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "of-tomorrow"
    monkeypatch.setattr("sys.argv", ["tenure", "alerts", "test", "--warehouse", str(folder)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert len(webhook.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_waits_is_sent_though_the_release_is_damaged(
    run_small: RunSmall,
    people: Path,
    warehouse: Warehouse,
    webhook: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_people(people, ages=[1, 7])
    monkeypatch.setattr("alerting.senders.LONGEST_WAIT_SECONDS", 0.0)
    with monkeypatch.context() as unplugged:
        unplugged.setenv("TENURE_ALERT_WEBHOOK_URL", "http://127.0.0.1:1/hush")
        run_small()
    damage(warehouse.release_file)
    assert "is damaged" in alerts.watch(warehouse, now=datetime.now(UTC) + timedelta(hours=1))[0]
    assert len(told(webhook)) == 1


def test_a_run_that_breaks_after_its_release_says_so(
    run_small: RunSmall,
    people: Path,
    warehouse: Warehouse,
    webhook: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_people(people, ages=[1, None])
    with pytest.raises(InputError):
        run_small()
    told(webhook)
    write_people(people, ages=[1, 2])
    warehouse.dashboard_page.mkdir()
    with pytest.raises(BuildError, match="the release stands"):
        run_small()
    sent = {each["incident"]: each for each in told(webhook)}
    assert sent["assert_ages_are_known@staging.stg_people"]["event"] == "recovered"
    assert "Nothing new is released" not in json.dumps(sent["run_exit_1@run"])
    assert "What follows on the release is not done" in sent["run_exit_1@run"]["why"]


def test_the_commands(
    warehouse: Warehouse,
    webhook: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def tenure(*arguments: str) -> tuple[int, str]:
        command = ["tenure", "alerts", *arguments, "--warehouse", str(warehouse.root)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out + written.err

    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("alerting.senders.LONGEST_WAIT_SECONDS", 0.0)
    assert tenure("test") == (0, "webhook: delivered\n")
    assert tenure("status") == (0, "0 open\n0 waiting to be delivered\n")
    webhook.answers = [403, 403]
    assert tenure("test") == (1, "webhook: not delivered, HTTP status 403\n")
    alerts.run_ended(warehouse, lambda _: None, began=datetime.now(UTC), error=BuildError("x"))
    status, said = tenure("status")
    assert status == 0
    assert "1 open\n  run_exit_1 (run), critical, since 20" in said
    assert "1 waiting to be delivered\n  by webhook, of 20" in said
    assert "HTTP status 403" in said
    assert tenure("watch")[0] == 0
    monkeypatch.delenv("TENURE_ALERT_WEBHOOK_URL")
    status, said = tenure("test")
    assert status == 2
    assert "Set TENURE_ALERT_SLACK_URL" in said


def test_only_keys_of_failing_rows_are_told_and_none_of_persons() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table failing as select * from (values"
            " ('in_7', 's1', 'Jane Doe', date '2026-03-01', 9),"
            " ('jane@example.com', 's2', 'x', date '2026-04-01', 8))"
            " as t(invoice_id, subscriber_id, customer_name, month_start, amount)"
        )
        assert failing_keys(connection, "select * from failing; ") == [
            "invoice_id in_7, month_start 2026-03-01",
            "invoice_id (not shown), month_start 2026-04-01",
        ]
        assert failing_keys(connection, "select subscriber_id, amount from failing -- x") == []
        assert failing_keys(connection, "select * from dropped_after_the_run") == []
        # an event is known by whom it happened to
        assert failing_keys(connection, "select 'signed_up:sub_42' as event_id") == [
            "event_id (not shown)"
        ]
        many = "select range as session_id from range(9)"
        assert len(failing_keys(connection, many)) == 5


def test_lineage_leads_to_the_marts(manifest: Manifest) -> None:
    assert "engagement_monthly" in manifest.marts_touched("raw.playback_sessions")
    assert "titles" not in manifest.marts_touched("raw.playback_sessions")
    assert manifest.marts_touched("marts.survival_curves")[0:1] == ("survival_curves",)
    assert manifest.marts_touched("nowhere.at_all") == ()
    assert len(manifest.all_marts()) > 30


def test_what_counts_by_raw_table_touches_the_marts_of_the_tables_that_fail(
    manifest: Manifest, warehouse: Warehouse
) -> None:
    describe = alerts._Describer(warehouse, None, manifest, None, "")  # noqa: SLF001
    touched = describe._marts((), ["table_name titles"])  # noqa: SLF001
    assert "dim_titles" in touched
    assert "revenue_monthly" not in touched
