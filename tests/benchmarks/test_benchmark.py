"""The harness: what it measures of a process, and how it tells it. No time is judged here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.bench import folder_bytes
from benchmarks.machine import Machine
from benchmarks.processes import CommandError, Usage, measure
from benchmarks.report import (
    BEGIN,
    END,
    MarkerError,
    Measured,
    Report,
    Section,
    ServiceReport,
    summarise,
    write_between_markers,
)
from benchmarks.run import with_requirements
from benchmarks.works import Work

MEGABYTE = 1_000_000
MACHINE = Machine("2026-01-31", 2, 8 * 2**30, 0.25, "Linux x86_64", ("Python 3.11.9",))

# in a process of its own, which the command starts and waits for
HUNGRY_CHILD = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; held = bytearray(200_000_000); time.sleep(1)"])
"""


def python(code: str) -> list[str | Path]:
    return [sys.executable, "-c", code]


def measured(
    work: Work,
    wall_seconds: float,
    *,
    written_bytes: int | None = None,
    memory: int = 300 * MEGABYTE,
) -> Measured:
    usage = Usage(wall_seconds, 2 * wall_seconds, memory, written_bytes)
    return Measured(work, usage, left_bytes=7 * MEGABYTE, released_bytes=6 * MEGABYTE)


SECTION = Section("A table", ("a", "b"), (("1", "2"),), ("A note.",))


def test_memory_of_a_child_process_counts(tmp_path: Path) -> None:
    used = measure(python(HUNGRY_CHILD), environment=os.environ, log=tmp_path / "log")
    assert used.peak_memory_bytes > 200 * MEGABYTE


def test_memory_of_who_measures_does_not_count(tmp_path: Path) -> None:
    held = bytearray(400_000_000)
    used = measure(
        python("import time; time.sleep(0.5)"), environment=os.environ, log=tmp_path / "log"
    )
    assert len(held) == 400_000_000
    assert 0 < used.peak_memory_bytes < 100 * MEGABYTE


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


def test_medians_are_of_one_work() -> None:
    found = summarise(
        Work.BUILD,
        [
            *(measured(Work.BUILD, seconds) for seconds in (9.0, 4.0, 5.0)),
            measured(Work.RUN, 200.0),
        ],
    )
    assert (found.wall_seconds, found.least_seconds, found.most_seconds) == (5.0, 4.0, 9.0)
    assert found.cpu_seconds == 10.0
    assert found.written_bytes is None


def test_what_was_not_measured_is_no_row_of_zeros() -> None:
    with pytest.raises(ValueError, match="tenure run was not measured"):
        summarise(Work.RUN, [measured(Work.DAY, 1.0)])


def test_ratios_stand_side_by_side_and_before_what_they_are_made_of() -> None:
    # 6 and 50 times the bare read; a day takes a fortieth of the run, and was not measured in one
    small = ServiceReport(
        "1M plays",
        "100 sign-ups",
        (
            measured(Work.READ, 10.0),
            measured(Work.BUILD, 60.0),
            measured(Work.RUN, 80.0, written_bytes=24 * MEGABYTE, memory=200 * MEGABYTE),
            measured(Work.DAY, 2.0),
        ),
        ("A sentence of the service.",),
    )
    large = ServiceReport(
        "10M plays",
        "1,000 sign-ups",
        (
            measured(Work.READ, 10.0),
            measured(Work.BUILD, 500.0),
            measured(Work.RUN, 550.0, memory=260 * MEGABYTE),
        ),
    )
    report = Report("python -m benchmarks", MACHINE, rounds=1, services=(small, large))
    text = report.markdown()
    assert "2 cores and 8 GiB" in text
    assert "Python 3.11.9" in text
    assert "|  | 1M plays | 10M plays | aimed at |" in text
    assert (
        "| dbt build ÷ bare read of the raw files | 6.00 (CPU 6.00) | 50.00 (CPU 50.00) | ≤ 8 |"
    ) in text
    assert "| tenure run, one new day ÷ tenure run | 0.03 (CPU 0.03) |  | ≤ 0.05 |" in text
    assert "+20.0 s, +33% | +50.0 s, +10% |" in text
    assert "| peak memory of tenure run ÷ that of the column before |  | 1.30 |  |" in text
    # 24 MB written for a release of 6 MB; nothing is known of the other
    assert "| bytes written by tenure run ÷ bytes of its release | 4.0 |  | ≤ 3 |" in text
    assert "| tenure run | 80.0 (80.0 to 80.0) | 160.0 | 200 MB | 24 MB | 7 MB |" in text
    assert "A sentence of the service." in text
    assert text.index("### Ratios") < text.index("### 1M plays: 100 sign-ups")
    assert "one corrected play" not in text


def test_a_report_of_the_yardsticks_alone_has_no_empty_table_of_ratios() -> None:
    report = Report("python -m benchmarks", MACHINE, rounds=3, services=(), extra=(SECTION,))
    assert "### Ratios" not in report.markdown()
    assert "### A table\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n\nA note." in report.markdown()


def test_what_comes_into_the_warehouse_of_a_run_needs_the_run() -> None:
    assert with_requirements(frozenset({Work.DAY})) == {Work.RUN, Work.DAY}
    assert with_requirements(frozenset({Work.REFRESH})) == {Work.RUN, Work.REFRESH}
    assert with_requirements(frozenset({Work.READ})) == {Work.READ}


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
