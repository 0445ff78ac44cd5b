"""The harness: what it measures of a process, and how it tells it. No time is judged here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.machine import Machine
from benchmarks.processes import CommandError, Usage, measure
from benchmarks.report import (
    BARE_BUILD,
    BEGIN,
    END,
    OCCASIONS,
    SIMULATION,
    WHOLE_RUN,
    MarkerError,
    Measured,
    Report,
    summarise,
    write_between_markers,
)
from benchmarks.run import folder_bytes

MEGABYTE = 1_000_000
MACHINE = Machine("2026-01-31", 2, 8 * 2**30, 0.25, "Linux x86_64", ("Python 3.11.9",))

# in a process of its own, which the command starts and waits for
HUNGRY_CHILD = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; held = bytearray(200_000_000); time.sleep(1)"])
"""


def python(code: str) -> list[str | Path]:
    return [sys.executable, "-c", code]


def measured(name: str, occasion: str, wall_seconds: float) -> Measured:
    usage = Usage(wall_seconds, 2 * wall_seconds, 300 * MEGABYTE, None)
    return Measured(name, occasion, usage, 7 * MEGABYTE)


def test_memory_of_a_child_process_counts(tmp_path: Path) -> None:
    used = measure(python(HUNGRY_CHILD), environment=os.environ, log=tmp_path / "log")
    assert used.peak_memory_bytes > 200 * MEGABYTE


def test_time_by_the_clock_goes_on_where_nothing_is_computed(tmp_path: Path) -> None:
    code = "import time; time.sleep(1)"
    used = measure(python(code), environment=os.environ, log=tmp_path / "log")
    assert used.wall_seconds >= 1
    assert used.cpu_seconds < used.wall_seconds


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much was written")
def test_what_was_written_counts_though_it_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "gone"
    code = (
        "import os, pathlib, sys; file = pathlib.Path(sys.argv[1])\n"
        "with file.open('wb') as content:\n"
        "    content.write(bytes(20_000_000)); content.flush(); os.fsync(content)\n"
        "file.unlink()"
    )
    used = measure([*python(code), file], environment=os.environ, log=tmp_path / "log")
    assert used.written_bytes is not None
    assert not file.exists()
    # a file system in memory writes nothing
    assert used.written_bytes == 0 or used.written_bytes >= 20 * MEGABYTE


def test_a_command_that_fails_is_told_by_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"ended with 3:\nout of luck"):
        measure(
            python("import sys; print('out of luck'); sys.exit(3)"),
            environment=os.environ,
            log=tmp_path / "log",
        )


def test_the_size_of_a_folder_counts_a_linked_file_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(10))
    (tmp_path / "link").symlink_to("deep/file")
    assert folder_bytes(tmp_path) == 10


def test_medians_are_of_one_command_on_one_occasion() -> None:
    first, later = OCCASIONS
    found = summarise(
        BARE_BUILD,
        first,
        [
            *(measured(BARE_BUILD, first, seconds) for seconds in (9.0, 4.0, 5.0)),
            measured(BARE_BUILD, later, 100.0),
            measured(WHOLE_RUN, first, 200.0),
        ],
    )
    assert (found.wall_seconds, found.least_seconds, found.most_seconds) == (5.0, 4.0, 9.0)
    assert found.cpu_seconds == 10.0
    assert found.written_bytes is None


def test_what_was_not_measured_is_no_row_of_zeros() -> None:
    with pytest.raises(ValueError, match="tenure run, first run was not measured"):
        summarise(WHOLE_RUN, OCCASIONS[0], [measured(WHOLE_RUN, OCCASIONS[1], 1.0)])


def test_the_report_sets_the_run_against_the_bare_build() -> None:
    report = Report(
        service="20 subscribers",
        command="python -m benchmarks",
        machine=MACHINE,
        rounds=1,
        measured=(
            measured(SIMULATION, "", 3.0),
            *(measured(BARE_BUILD, occasion, 40.0) for occasion in OCCASIONS),
            *(measured(WHOLE_RUN, occasion, 50.0) for occasion in OCCASIONS),
        ),
    )
    text = report.markdown()
    assert "2 cores and 8 GiB" in text
    assert "Python 3.11.9" in text
    assert "| tenure run, first run | 50.0 (50.0 to 50.0) | 100.0 | 300 MB |  | 7 MB |" in text
    assert "| difference, ratio | +10.0, 1.25 times | +20.0, 1.25 times |  |  |  |" in text


def test_the_table_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"# Before\n{BEGIN}\nold\n{END}\nAfter\n", encoding="utf-8")
    write_between_markers(page, "new")
    write_between_markers(page, "newer")
    assert page.read_text(encoding="utf-8") == f"# Before\n{BEGIN}\nnewer\n{END}\nAfter\n"


@pytest.mark.parametrize("text", ["none", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_page_without_its_markers_is_left_alone(tmp_path: Path, text: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(MarkerError, match="should hold"):
        write_between_markers(page, "new")
    assert page.read_text(encoding="utf-8") == text
