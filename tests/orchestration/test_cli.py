"""The command line: exit statuses, words instead of stack traces, and two runs at once."""

import errno
import io
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pytest
from rich.console import Console

from orchestration import cli, refresh_job
from orchestration.commands import fitness, report
from orchestration.database.warehouse import Warehouse
from orchestration.errors import AuditError, BuildError, InputError, StoppedError
from orchestration.pages import dashboard_page, docs_site
from orchestration.progress import LineReporter, Reporter
from orchestration.raw.contract import RawContract
from orchestration.settings import RunRequest
from tests.orchestration.samples import write_table
from tests.orchestration.test_release import START, publish, total_of

Tenure = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tenure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tenure:
    """Runs a command; returns its exit status and what it wrote to its output and to errors."""
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tenure", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return run


def test_help_names_every_command(tenure: Tenure) -> None:
    status, told, _ = tenure("--help")
    assert status == 0
    for command in ("simulate", "run", "check", "status", "metrics", "rollback"):
        assert re.search(rf"\b{command}\b", told)


def test_help_loads_nothing_heavy() -> None:
    heavy = "('dagster', 'dbt', 'great_expectations', 'metricflow', 'pandas')"
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, orchestration.cli; assert not set({heavy}) & set(sys.modules)",
        ],
        check=True,
    )


def test_a_run_loads_nothing_of_the_metrics_layer() -> None:
    layer = "('metricflow', 'metricflow_semantics', 'orchestration.metrics.queries')"
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, orchestration.refresh_job, orchestration.commands.report, dbt.cli.main;"
            f" assert not set({layer}) & set(sys.modules)",
        ],
        check=True,
    )


def test_metrics_of_no_release(tenure: Tenure, tmp_path: Path) -> None:
    status, _, told = tenure("metrics", "churn_rate", "--by", "plan_tier", "--warehouse", tmp_path)
    assert status == 2
    assert "tenure run" in told


def test_wrong_usage(tenure: Tenure) -> None:
    assert tenure("run", "--no-such-option")[0] == 2
    assert tenure("no-such-command")[0] == 2


def test_bad_input_is_told_whole_before_anything_is_built(
    tenure: Tenure, full_raw: Path, contract: RawContract, tmp_path: Path
) -> None:
    shutil.rmtree(full_raw / "payments")
    write_table(full_raw / "plans" / "more.parquet", "plans", contract, plan_tier=None)
    (full_raw / "invoices" / "cut.parquet").write_bytes(b"PAR1 and no more")
    warehouse = tmp_path / "warehouse"
    status, _, told = tenure(
        *("run", "--raw", full_raw, "--warehouse", warehouse),
        *("--as-of", "noon", "--vars", '{"reporting_timezone": "Nowhere"}'),
    )
    assert status == 2
    lines = [line for line in told.splitlines() if line.startswith("- ")]
    assert len(lines) == 5
    for words in (
        "table payments: required table is missing",
        f"file {full_raw}/plans/more.parquet, table plans, column plan_tier: the column is missing",
        f"file {full_raw}/invoices/cut.parquet, table invoices: the Parquet file is cut short",
        "as_of is 'noon'",
        "reporting_timezone is 'Nowhere'",
    ):
        assert words in told
    assert "Traceback" not in told
    assert not warehouse.exists()


def test_bad_input_that_only_reading_finds(
    tenure: Tenure, full_raw: Path, contract: RawContract, tmp_path: Path
) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract, max_streams="'two'")
    warehouse = Warehouse(tmp_path / "warehouse")
    status, _, told = tenure("run", "--raw", full_raw, "--warehouse", warehouse.root)
    assert status == 2
    assert f"file {path}, table plans, column max_streams: 1 values are not a whole number" in told
    assert "Traceback" not in told
    assert not warehouse.build_file.exists()
    assert not warehouse.release_file.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--raw", "", "--warehouse", "w"),
        ("run", "--raw", "r", "--warehouse", ""),
        ("check", "--raw", ""),
        ("status", "--warehouse", ""),
        ("alerts", "status", "--warehouse", ""),
        ("simulate", "--out", ""),
    ],
)
def test_a_folder_without_a_name_is_not_the_one_that_somebody_is_in(
    tenure: Tenure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """So a shell gives it whose variable is not set."""
    monkeypatch.chdir(tmp_path)
    status, _, told = tenure(*words)
    assert status == 2
    assert "it is empty" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/closed"),
            "/closed: Permission denied",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/cd/w"), "/cd/w: Read-only file system"),
        (
            duckdb.IOException('IO Error: Cannot open file "/w/t.duckdb": Permission denied\nx'),
            'IO Error: Cannot open file "/w/t.duckdb": Permission denied',
        ),
    ],
)
def test_what_the_system_refuses_is_told_without_a_stack_trace(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(fitness, "check", fail)
    advice = "Let the user who runs this read and write there, or name another place"
    assert tenure("check") == (1, "", f"{told}. {advice}\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "what is printed: No space left"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/w/x"), "/w/x: Disk quota exceeded"),
        (
            duckdb.IOException('IO Error: Could not write "/r/x": No space left on device\nx'),
            'IO Error: Could not write "/r/x": No space left',
        ),
    ],
)
def test_what_has_no_room_is_told_without_a_stack_trace(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(fitness, "check", fail)
    status, _, written = tenure("check")
    assert status == 1
    assert written.startswith(told)
    assert "Make room there" in written


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_full_log_is_no_stack_trace(tmp_path: Path, stream: str) -> None:
    command = [
        sys.executable,
        "-c",
        "from orchestration.cli import program; program()",
        "status",
    ]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*command, "--warehouse", str(tmp_path if stream == "stdout" else tmp_path / "none")],
            check=False,
            text=True,
            stdout=full if stream == "stdout" else subprocess.PIPE,
            stderr=full if stream == "stderr" else subprocess.PIPE,
        )
    assert ended.returncode == (1 if stream == "stdout" else 2)
    assert "Traceback" not in (ended.stderr or "")


def test_a_log_without_room_ends_no_run() -> None:
    full = Mock(spec=io.TextIOBase)
    full.write.side_effect = OSError(errno.ENOSPC, "No space left on device")
    LineReporter(Console(file=full)).stage("building")
    assert full.write.called


@pytest.mark.parametrize("command", ["dashboard", "docs"])
def test_where_a_page_is_may_look_like_markup(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    page = Path("/w[/x] and v[bold]/index.html")
    monkeypatch.setattr(dashboard_page, "brought_up_to_date", lambda *_: page)
    monkeypatch.setattr(docs_site, "build", lambda *_, **__: page)
    assert tenure(command, "--no-open") == (0, f"{page}: open it in a browser\n", "")


def test_a_defect_keeps_its_stack_trace(tenure: Tenure, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "/disk")

    monkeypatch.setattr(fitness, "check", fail)
    with pytest.raises(OSError, match="Input/output error"):
        tenure("check")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BuildError("it broke"), 1),
        (InputError.from_text("wrong input"), 2),
        (AuditError("the audit said no"), 3),
    ],
)
def test_a_run_that_ends_badly(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(request: RunRequest, reporter: Reporter) -> refresh_job.Finished:
        raise error

    monkeypatch.setattr(refresh_job, "run", fail)
    assert tenure("run") == (status, "", f"{error}\n")


def test_a_run_that_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(request: RunRequest) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(refresh_job, "check_before_loading", stop)
    with pytest.raises(StoppedError, match="last release stands"):
        refresh_job.run(RunRequest(cli.Settings()), reporter=None)


def test_a_run_that_is_stopped_after_its_release(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse
) -> None:
    def stop(request: RunRequest) -> None:
        publish(warehouse, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(refresh_job, "check_before_loading", stop)
    monkeypatch.setattr(refresh_job, "datetime", Mock(now=lambda _zone: START))
    with pytest.raises(StoppedError, match="release 20260101T060001Z stands"):
        refresh_job.run(RunRequest(cli.Settings(warehouse=warehouse.root)), reporter=None)


def test_a_file_of_ids_may_begin_with_a_mark_and_has_to_be_text(
    tenure: Tenure, tmp_path: Path
) -> None:
    (tmp_path / "ids.txt").write_bytes("\ufeffann\n".encode())
    raw = tmp_path / "raw"
    raw.mkdir()
    assert tenure("erase", "--from-file", tmp_path / "ids.txt", "--raw", raw)[0] == 0
    with duckdb.connect() as connection:
        assert connection.execute(
            f"select subscriber_id from '{raw}/erasure_requests/*.parquet'"
        ).fetchall() == [("ann",)]
    (tmp_path / "ids.txt").write_bytes(b"\xff\xfe")
    status, _, told = tenure("erase", "--from-file", tmp_path / "ids.txt", "--raw", raw)
    assert (status, "no text in UTF-8" in told) == (2, True)
    shutil.rmtree(raw / "erasure_requests")
    (raw / "erasure_requests").write_text("a file")
    status, _, told = tenure("erase", "ann", "--raw", raw)
    assert (status, "can't be written to" in told) == (2, True)


def test_options_of_a_run_are_passed_on(
    tenure: Tenure, monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse
) -> None:
    asked: list[RunRequest] = []

    def note(request: RunRequest, reporter: Reporter) -> refresh_job.Finished:
        asked.append(request)
        return refresh_job.Finished(warehouse, nodes_built=7)

    monkeypatch.setattr(refresh_job, "run", note)
    monkeypatch.setattr(report, "print_run", lambda console, finished: None)
    tenure(
        *("run", "--raw", "r", "--warehouse", "w", "--as-of", "2026-01-01"),
        *("--full-refresh", "--vars", "{}"),
    )
    tenure("run")
    monkeypatch.setenv("TENURE_RAW", "from-environment")
    tenure("run")
    first, second, third = asked
    assert (first.settings.raw, first.settings.warehouse) == (Path("r"), Path("w"))
    assert (first.as_of, first.variables, first.full_refresh) == ("2026-01-01", "{}", True)
    assert (second.as_of, second.variables, second.full_refresh) == (None, None, False)
    assert third.settings.raw == Path("from-environment")


def test_status_before_and_after_a_release(tenure: Tenure, warehouse: Warehouse) -> None:
    status, told, _ = tenure("status", "--warehouse", warehouse.root)
    assert (status, "No release" in told) == (0, True)
    publish(warehouse, 1)
    publish(warehouse, 2)
    status, told, _ = tenure("status", "--warehouse", warehouse.root)
    assert status == 0
    assert "Release 20260101T060002Z, as of 2026-01-01 00:00:00 UTC" in told
    assert "reporting_currency = EUR" in told
    assert "20260101T060001Z\n" in told


def test_rollback(tenure: Tenure, warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    publish(warehouse, 2)
    status, told, _ = tenure("rollback", "--warehouse", warehouse.root)
    assert (status, total_of(warehouse)) == (0, 1)
    assert "Release 20260101T060001Z stands" in told
    status, _, told = tenure("rollback", "20250101T000000Z", "--warehouse", warehouse.root)
    assert (status, total_of(warehouse)) == (2, 1)
    assert "20260101T060001Z (current), 20260101T060002Z" in told


@pytest.mark.parametrize("command", ["rollback", "status"])
def test_a_mistyped_warehouse_is_told_and_not_made(
    tenure: Tenure, tmp_path: Path, command: str
) -> None:
    status, _, told = tenure(command, "--warehouse", tmp_path / "none")
    assert status == 2
    assert f"there is no warehouse {tmp_path / 'none'}" in told
    assert not (tmp_path / "none").exists()


def test_two_runs_at_once_go_one_after_the_other(warehouse: Warehouse) -> None:
    told, entered = threading.Event(), threading.Event()

    def run_second() -> None:
        with warehouse.build_lock(on_wait=told.set):
            entered.set()

    with warehouse.build_lock(on_wait=pytest.fail):
        second = threading.Thread(target=run_second)
        second.start()
        assert told.wait(timeout=30)
        assert not entered.is_set()
    second.join(timeout=30)
    assert entered.is_set()


def test_a_killed_run_holds_no_lock(warehouse: Warehouse) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from orchestration.database.warehouse import Warehouse\n"
        "with Warehouse(Path(sys.argv[1])).build_lock(on_wait=print):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(warehouse.root)], check=False)
    with warehouse.build_lock(on_wait=lambda: pytest.fail("the lock outlived its holder")):
        pass
