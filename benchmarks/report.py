"""How the measurements are told: ratios, then medians of each work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from rich.console import Group
from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.processes import Usage
from benchmarks.works import INCREMENTS, Work

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"

WORK_HEADINGS = ("", "seconds (range)", "CPU seconds", "peak memory", "written", "left on disk")


@dataclass(frozen=True)
class Measured:
    """What a work cost once.

    `left_bytes` is the size of the warehouse after it, `released_bytes` that of the release file in
    it; None where it has none.
    """

    work: str
    usage: Usage
    left_bytes: int | None = None
    released_bytes: int | None = None


@dataclass(frozen=True)
class Summary:
    """Medians over the rounds of one work, with the extremes of its time."""

    work: str
    wall_seconds: float
    least_seconds: float
    most_seconds: float
    cpu_seconds: float
    peak_memory_bytes: float
    written_bytes: float | None
    left_bytes: float | None
    released_bytes: float | None

    def cells(self) -> tuple[str, ...]:
        """Return a row of the table of works."""
        return (
            self.work,
            f"{self.wall_seconds:.1f} ({self.least_seconds:.1f} to {self.most_seconds:.1f})",
            f"{self.cpu_seconds:.1f}",
            _megabytes(self.peak_memory_bytes),
            _megabytes(self.written_bytes),
            _megabytes(self.left_bytes),
        )


def summarise(work: str, measured: Iterable[Measured]) -> Summary:
    """Return the medians of what the work cost; raises ValueError where it was not measured."""
    found = [one for one in measured if one.work == work]
    if not found:
        raise ValueError(f"{work} was not measured")
    seconds = [one.usage.wall_seconds for one in found]
    return Summary(
        work=work,
        wall_seconds=median(seconds),
        least_seconds=min(seconds),
        most_seconds=max(seconds),
        cpu_seconds=median(one.usage.cpu_seconds for one in found),
        peak_memory_bytes=median(one.usage.peak_memory_bytes for one in found),
        written_bytes=_median(one.usage.written_bytes for one in found),
        left_bytes=_median(one.left_bytes for one in found),
        released_bytes=_median(one.released_bytes for one in found),
    )


@dataclass(frozen=True)
class ServiceReport:
    """One service and all that was measured on it; `notes` are sentences about it."""

    name: str
    described: str
    measured: tuple[Measured, ...]
    notes: tuple[str, ...] = ()

    def summaries(self) -> dict[str, Summary]:
        """Return the medians by work, in the order in which they were first measured."""
        works = dict.fromkeys(one.work for one in self.measured)
        return {work: summarise(work, self.measured) for work in works}


Cell = Callable[[dict[str, Summary]], str]


@dataclass(frozen=True)
class Aim:
    """A figure of one service, in words, what is aimed at, and the works that it is made of."""

    name: str
    goal: str
    needs: tuple[str, ...]
    cell: Cell


def ratio(over: str, under: str, *, name: str = "", goal: str = "") -> Aim:
    """Return the aim that is a ratio of times: by the clock, and of CPU seconds."""

    def cell(found: dict[str, Summary]) -> str:
        by_clock = found[over].wall_seconds / found[under].wall_seconds
        of_work = found[over].cpu_seconds / found[under].cpu_seconds
        return f"{by_clock:.2f} (CPU {of_work:.2f})"

    return Aim(name or f"{over} ÷ {under}", goal, (over, under), cell)


def _surcharge(found: dict[str, Summary]) -> str:
    bare, whole = found[Work.BUILD], found[Work.RUN]
    more = whole.wall_seconds - bare.wall_seconds
    return f"{more:+.1f} s, {more / bare.wall_seconds:+.0%}"


def _written_ratio(found: dict[str, Summary]) -> str:
    run = found[Work.RUN]
    if run.written_bytes is None or not run.released_bytes:
        return ""
    return f"{run.written_bytes / run.released_bytes:.1f}"


AIMS = (
    ratio(Work.BUILD, Work.READ, goal="≤ 8"),
    ratio(Work.RUN, Work.READ),
    ratio(Work.ELSEWHERE, Work.RUN),
    *(ratio(work, Work.RUN, goal="≤ 0.05") for work in INCREMENTS),
    Aim(
        "tenure run more than dbt build",
        "≤ 20 s, ≤ 5 % at 100M",
        (Work.BUILD, Work.RUN),
        _surcharge,
    ),
    Aim(
        "peak memory of tenure run",
        "≤ 4 GB",
        (Work.RUN,),
        lambda found: _megabytes(found[Work.RUN].peak_memory_bytes),
    ),
    Aim("bytes written by tenure run ÷ bytes of its release", "≤ 3", (Work.RUN,), _written_ratio),
    Aim(
        "dbt parse, warm",
        "≤ 2 s",
        (Work.PARSE,),
        lambda found: f"{found[Work.PARSE].wall_seconds:.1f} s",
    ),
)


@dataclass(frozen=True)
class Section:
    """A table with a title, and what is to be said under it."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return it as Markdown."""
        rule = ("---", *("---:" for _ in self.headings[1:]))
        table = [f"| {' | '.join(row)} |" for row in (self.headings, rule, *self.rows)]
        return "\n".join([f"### {self.title}", "", *table, *(f"\n{note}" for note in self.notes)])

    def table(self) -> Table:
        """Return it for a terminal."""
        table = Table(*self.headings, title=self.title, caption="\n".join(self.notes) or None)
        for column in table.columns[1:]:
            column.justify = "right"
            column.no_wrap = True
        for row in self.rows:
            table.add_row(*row)
        return table


@dataclass(frozen=True)
class Report:
    """Everything that was measured, and on what."""

    command: str
    machine: Machine
    rounds: int
    services: tuple[ServiceReport, ...] = ()
    extra: tuple[Section, ...] = ()

    def sections(self) -> list[Section]:
        """Return the tables: ratios of all services side by side, then each service's works."""
        works = [
            Section(
                f"{service.name}: {service.described}",
                WORK_HEADINGS,
                tuple(summary.cells() for summary in service.summaries().values()),
                service.notes,
            )
            for service in self.services
        ]
        ratios = aims_section(self.services)
        return [*([ratios] if ratios.rows else []), *self.extra, *works]

    def markdown(self) -> str:
        """Return the tables with what they were measured on, as Markdown."""
        repeated = "once" if self.rounds == 1 else f"{self.rounds} times, the medians are shown"
        return "\n\n".join(
            [
                f"Each was run {repeated} (simulations and what a table says of itself once).\n"
                f"{self.machine.sentences()}\nThe command: `{self.command}`.",
                *(section.markdown() for section in self.sections()),
            ]
        )

    def group(self) -> Group:
        """Return the tables for a terminal."""
        return Group(*(section.table() for section in self.sections()))


def aims_section(services: Sequence[ServiceReport]) -> Section:
    """Return the ratios that all else is measured for, a column a service, beside what is aimed at.

    What was not measured on any service has no row.
    """
    found = [service.summaries() for service in services]
    rows = []
    for aim in AIMS:
        cells = [
            aim.cell(summaries) if all(work in summaries for work in aim.needs) else ""
            for summaries in found
        ]
        if any(cells):
            rows.append((aim.name, *cells, aim.goal))
    growth = [_growth(before, after) for before, after in pairwise(found)]
    if any(growth):
        rows.append(("peak memory of tenure run ÷ that of the column before", "", *growth, ""))
    headings = ("", *(service.name for service in services), "aimed at")
    return Section("Ratios", headings, tuple(rows))


def _growth(before: dict[str, Summary], after: dict[str, Summary]) -> str:
    if Work.RUN not in before or Work.RUN not in after:
        return ""
    return f"{after[Work.RUN].peak_memory_bytes / before[Work.RUN].peak_memory_bytes:.2f}"


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


def _median(figures: Iterable[int | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return median(known) if known else None


def _megabytes(size: float | None) -> str:
    return "" if size is None else f"{size / 1e6:,.0f} MB"
