"""The benchmark: each work on each service, process by process, and what they are set against."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.agreement import differing_marts
from benchmarks.bench import Bench, folder_bytes, lay_views
from benchmarks.machine import describe_machine
from benchmarks.processes import CommandError
from benchmarks.report import (
    MarkerError,
    Report,
    ServiceReport,
    around_markers,
    write_between_markers,
)
from benchmarks.services import (
    CORRECTED_CHANGE,
    CORRECTED_LINE,
    CORRECTED_PLAY,
    MONTHS,
    PLAYS_PER_MONTH,
    SEED,
    SUBSCRIBERS,
    Correction,
    LastDay,
    Scale,
    last_day,
    lay_correction,
    lay_day,
    lay_history,
)
from benchmarks.works import (
    INCREMENTS,
    MEASURABLE,
    OTHER_TIMEZONE,
    PROJECT,
    Work,
    dbt_build_command,
    dbt_parse_command,
    read_command,
    run_command,
    simulate_command,
)
from benchmarks.yardsticks.measurement import measure_yardsticks
from orchestration.database.warehouse import Warehouse
from orchestration.transform.kept_parse import parses_of
from orchestration.transform.project import DbtProject

README = Path(__file__).resolve().parent / "README.md"
TABLE_WIDTH = 120
DEFAULT_SCALES = (Scale.ONE, Scale.TEN)

CORRECTIONS: Mapping[Work, Correction] = {
    Work.PLAY: CORRECTED_PLAY,
    Work.CHANGE: CORRECTED_CHANGE,
    Work.LINE: CORRECTED_LINE,
}


@dataclass(frozen=True)
class Simulated:
    """A simulated service, and the instant at which its last day begins."""

    folder: Path
    day: LastDay
    plays: int

    @classmethod
    def read(cls, folder: Path) -> Simulated:
        """Return what the simulation in the folder says of itself."""
        truth = orjson.loads((folder / "truth.json").read_bytes())
        return cls(
            folder,
            last_day(datetime.fromisoformat(truth["parameters"]["end"])),
            truth["counts"]["plays"],
        )


def measure_round(
    bench: Bench, simulated: Simulated, history: Path, *, number: int, works: frozenset[Work]
) -> list[str]:
    """Measure the works once, each build into a new warehouse, the increments one after another.

    Returns what is to be said of the increments beside their cost: whether their marts are those of
    a full refresh, where one is among the works.
    """
    contract = DbtProject(PROJECT).contract()
    raw = bench.folder / f"raw-{number}"
    # a folder of its own, since the increments add to it; the history is not written again
    shutil.copytree(history, raw, copy_function=os.link)
    bare, whole = bench.folder / f"bare-{number}", bench.folder / f"whole-{number}"
    if Work.READ in works:
        bench.run(Work.READ, read_command(raw))
    if Work.PARSE in works:
        # in a folder of its own: the builds that are compared both parse the project anew
        parsed = bench.folder / f"parsed-{number}"
        Warehouse(parsed).prepare()
        for counts in (False, True):
            bench.run(Work.PARSE, dbt_parse_command(parsed), warehouse=parsed, counts=counts)
    if Work.BUILD in works:
        lay_views(raw, bare)
        bench.run(Work.BUILD, dbt_build_command(bare), warehouse=bare)
        shutil.rmtree(bare)
    if Work.RUN in works:
        forget_parses()
        bench.run(Work.RUN, run_command(raw, whole), warehouse=whole)
    if Work.ELSEWHERE in works:
        elsewhere = bench.folder / f"elsewhere-{number}"
        command = run_command(raw, elsewhere, timezone=OTHER_TIMEZONE)
        forget_parses()
        bench.run(Work.ELSEWHERE, command, warehouse=elsewhere)
        shutil.rmtree(elsewhere)
    for work in (work for work in INCREMENTS if work in works):
        if work is Work.DAY:
            lay_day(simulated.folder, raw, contract.tables, simulated.day)
        else:
            correction = CORRECTIONS[work]
            lay_correction(raw, contract.table(correction.table), correction, simulated.day)
        bench.run(work, run_command(raw, whole), warehouse=whole)
    notes = _refreshed(bench, raw, whole) if Work.REFRESH in works else []
    shutil.rmtree(whole, ignore_errors=True)
    shutil.rmtree(raw)
    return notes


def forget_parses() -> None:
    """Have the next run parse the project anew, as a bare build in a new warehouse does."""
    shutil.rmtree(parses_of(PROJECT), ignore_errors=True)


def _refreshed(bench: Bench, raw: Path, warehouse: Path) -> list[str]:
    """Build everything anew, and return whether that changed a mart."""
    place = Warehouse(warehouse)
    before = bench.folder / "before-refresh.duckdb"
    before.unlink(missing_ok=True)
    before.hardlink_to(place.release_file.resolve())
    command = run_command(raw, warehouse, full_refresh=True)
    bench.run(Work.REFRESH, command, warehouse=warehouse)
    differing = differing_marts(before, place.release_file)
    if differing:
        return [f"Marts that a full refresh changed: {', '.join(differing)}."]
    return ["After the increments, a full refresh changed no mart."]


def measure_service(
    bench: Bench, scale: Scale, *, rounds: int, works: frozenset[Work]
) -> ServiceReport:
    """Simulate the service of a scale and measure the works on it so many times.

    A look at all raw files comes first and does not count: it warms what the system keeps of files.
    """
    simulation, history = bench.folder / "simulated", bench.folder / "history"
    subscribers = SUBSCRIBERS[scale]
    command = simulate_command(
        simulation,
        subscribers=subscribers,
        months=MONTHS,
        plays_per_month=PLAYS_PER_MONTH,
        seed=SEED,
    )
    bench.run(Work.SIMULATION, command)
    simulated = Simulated.read(simulation)
    lay_history(simulation, history, DbtProject(PROJECT).contract().tables, simulated.day)
    bench.run(Work.READ, read_command(history), counts=False)
    notes: list[str] = []
    for number in range(rounds):
        notes += measure_round(bench, simulated, history, number=number, works=works)
    described = (
        f"{subscribers:,} sign-ups over {MONTHS} months, {simulated.plays / 1e6:,.1f} million"
        f" plays, {folder_bytes(history) / 1e6:,.0f} MB of raw files"
    )
    shutil.rmtree(simulation)
    shutil.rmtree(history)
    return ServiceReport(
        f"{scale.value} plays", described, tuple(bench.measured), tuple(dict.fromkeys(notes))
    )


def with_requirements(works: frozenset[Work]) -> frozenset[Work]:
    """Return the works with the run into whose warehouse some of them come."""
    later = {*INCREMENTS, Work.REFRESH}
    return works | {Work.RUN} if works & later else works


def main(
    *,
    scale: Annotated[
        list[Scale] | None,
        typer.Option(help="How many plays; may be given again.", show_default="1M and 10M"),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    only: Annotated[
        list[Work] | None,
        typer.Option(help="One work to measure; may be given again.", show_default="all"),
    ] = None,
    yardsticks: Annotated[
        int, typer.Option(min=0, help="Sign-ups to make MRR movements of; 0 leaves that out.")
    ] = 100_000,
    services: Annotated[
        bool, typer.Option(help="Measure the services, or the yardsticks alone.")
    ] = True,
    folder: Annotated[
        Path,
        typer.Option(
            help="Folder for the builds, which are deleted in the end.", show_default=False
        ),
    ] = PROJECT / "demo",
    readme: Annotated[
        Path, typer.Option(help="File between whose markers the tables go.", show_default=False)
    ] = README,
) -> None:
    """Measure what a build costs in time, memory and disk, and a day and a correction after it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    works = with_requirements(frozenset(only or MEASURABLE))
    report = Report(
        command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        machine=describe_machine(),
        rounds=rounds,
    )
    try:
        # it should not take the whole measurement to find out that its result has no place
        around_markers(readme)
        folder.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(prefix="benchmark-", dir=folder.absolute()) as temporary,
            Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ):
            for each in (scale or DEFAULT_SCALES) if services else ():
                bench = Bench.below(Path(temporary), each.value, progress)
                measured = measure_service(bench, each, rounds=rounds, works=works)
                report = replace(report, services=(*report.services, measured))
                # what comes next can take hours, and may fail
                write_between_markers(readme, report.markdown())
            if yardsticks:
                bench = Bench.below(Path(temporary), "yardsticks", progress)
                extra = measure_yardsticks(bench, subscribers=yardsticks, rounds=rounds)
                report = replace(report, extra=tuple(extra))
                write_between_markers(readme, report.markdown())
    except (CommandError, MarkerError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(code=1 if isinstance(error, CommandError) else 2) from error
    # where there is no terminal, Rich would fold the tables into 80 columns
    Console(width=max(Console().width, TABLE_WIDTH)).print(report.group())
