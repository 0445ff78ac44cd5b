"""How the measurements are told: medians, difference and ratio, as Markdown and on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.processes import Usage

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"

HEADINGS = ("", "seconds (range)", "CPU seconds", "peak memory", "written", "left on disk")

SIMULATION = "tenure simulate"
BARE_BUILD = "dbt build"
WHOLE_RUN = "tenure run"
# into an empty warehouse, and once more into the same
OCCASIONS = ("first run", "next run")


@dataclass(frozen=True)
class Measured:
    """One command's use, and the size of the warehouse after it (None where it has none)."""

    name: str
    occasion: str
    usage: Usage
    left_bytes: int | None


@dataclass(frozen=True)
class Summary:
    """Medians over the rounds of one command, with the extremes of its time."""

    name: str
    occasion: str
    wall_seconds: float
    least_seconds: float
    most_seconds: float
    cpu_seconds: float
    peak_memory_bytes: float
    written_bytes: float | None
    left_bytes: float | None

    def cells(self) -> tuple[str, ...]:
        """Return a row of the table."""
        return (
            f"{self.name}, {self.occasion}" if self.occasion else self.name,
            f"{self.wall_seconds:.1f} ({self.least_seconds:.1f} to {self.most_seconds:.1f})",
            f"{self.cpu_seconds:.1f}",
            _megabytes(self.peak_memory_bytes),
            _megabytes(self.written_bytes),
            _megabytes(self.left_bytes),
        )


def summarise(name: str, occasion: str, measured: Iterable[Measured]) -> Summary:
    """Return the medians of what the command cost on the occasion.

    Raises ValueError where it was not measured.
    """
    found = [one for one in measured if (one.name, one.occasion) == (name, occasion)]
    if not found:
        raise ValueError(f"{name}, {occasion} was not measured")
    seconds = [one.usage.wall_seconds for one in found]
    written = [one.usage.written_bytes for one in found if one.usage.written_bytes is not None]
    left = [one.left_bytes for one in found if one.left_bytes is not None]
    return Summary(
        name=name,
        occasion=occasion,
        wall_seconds=median(seconds),
        least_seconds=min(seconds),
        most_seconds=max(seconds),
        cpu_seconds=median(one.usage.cpu_seconds for one in found),
        peak_memory_bytes=median(one.usage.peak_memory_bytes for one in found),
        written_bytes=median(written) if written else None,
        left_bytes=median(left) if left else None,
    )


@dataclass(frozen=True)
class Report:
    """Everything that was measured, and on what."""

    service: str
    command: str
    machine: Machine
    rounds: int
    measured: tuple[Measured, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table's rows: each command, and `tenure run` against the bare build."""
        rows = []
        if any(one.name == SIMULATION for one in self.measured):
            rows.append(summarise(SIMULATION, "", self.measured).cells())
        for occasion in OCCASIONS:
            bare = summarise(BARE_BUILD, occasion, self.measured)
            whole = summarise(WHOLE_RUN, occasion, self.measured)
            rows += [bare.cells(), whole.cells(), comparison(bare, whole)]
        return rows

    def markdown(self) -> str:
        """Return the table with what it was measured on, as Markdown."""
        rule = ("---", *("---:" for _ in HEADINGS[1:]))
        lines = [f"| {' | '.join(row)} |" for row in (HEADINGS, rule, *self.rows())]
        repeated = "once" if self.rounds == 1 else f"{self.rounds} times, the medians are shown"
        return "\n".join(
            [
                f"The service: {self.service}. Each was run {repeated} (the simulation once).",
                self.machine.sentences(),
                f"The command: `{self.command}`.",
                "",
                *lines,
            ]
        )

    def table(self) -> Table:
        """Return the table for a terminal."""
        table = Table(*HEADINGS, title=self.service)
        for column in table.columns[1:]:
            column.justify = "right"
            column.no_wrap = True
        for row in self.rows():
            table.add_row(*row)
        return table


def comparison(bare: Summary, whole: Summary) -> tuple[str, ...]:
    """Return the row that says what the whole way costs beyond the bare build."""
    return (
        "difference, ratio",
        f"{whole.wall_seconds - bare.wall_seconds:+.1f}, "
        f"{whole.wall_seconds / bare.wall_seconds:.2f} times",
        f"{whole.cpu_seconds - bare.cpu_seconds:+.1f}, "
        f"{whole.cpu_seconds / bare.cpu_seconds:.2f} times",
        "",
        "",
        "",
    )


class MarkerError(Exception):
    """The file has no place for the table."""


def around_markers(path: Path) -> tuple[str, str]:
    """Return what the file holds before and after the place for the table.

    Raises `MarkerError` where it is not there or does not hold each marker once, in order.
    """
    content = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise MarkerError(f"{path} should hold {BEGIN} and then {END}, each once")
    return before, after


def write_between_markers(path: Path, text: str) -> None:
    """Put the text between the file's two markers, in place of what is there."""
    before, after = around_markers(path)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _megabytes(size: float | None) -> str:
    return "" if size is None else f"{size / 1e6:,.0f} MB"
