"""The benchmark: a bare `dbt build` beside `tenure run`, on one service, process by process."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.machine import describe_machine
from benchmarks.processes import CommandError, measure
from benchmarks.report import (
    BARE_BUILD,
    OCCASIONS,
    SIMULATION,
    WHOLE_RUN,
    MarkerError,
    Measured,
    Report,
    around_markers,
    write_between_markers,
)

PROJECT = Path(__file__).resolve().parent.parent
TABLE_WIDTH = 120

README = Path(__file__).resolve().parent / "README.md"


@dataclass
class Bench:
    """A folder to measure in, and what was measured in it so far."""

    folder: Path
    progress: Progress
    measured: list[Measured] = field(default_factory=list)

    def run(
        self,
        name: str,
        command: list[str | Path],
        *,
        occasion: str = "",
        warehouse: Path | None = None,
    ) -> None:
        """Run the command of the checkout's environment and note what it cost."""
        what = f"{name} {occasion}".strip()
        task = self.progress.add_task(what, total=1)
        usage = measure(
            [Path(sys.executable).parent / command[0], *command[1:]],
            environment=_environment(warehouse),
            log=self.folder / f"{len(self.measured)}.log",
        )
        left_bytes = folder_bytes(warehouse) if warehouse else None
        self.measured.append(Measured(name, occasion, usage, left_bytes))
        self.progress.advance(task)
        if not self.progress.console.is_terminal:
            self.progress.console.print(f"{what}: {usage.wall_seconds:.1f} s")


def _environment(warehouse: Path | None) -> Mapping[str, str]:
    # a history that somebody keeps must not be filled, nor its size weigh on what is measured
    kept = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return kept | ({"TENURE_WAREHOUSE": str(warehouse)} if warehouse else {})


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in the folder, links not followed."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(file.stat().st_size for file in files)


def simulate_command(raw: Path, *, subscribers: int, months: int, seed: int) -> list[str | Path]:
    """Return the command that writes the raw tables."""
    size: list[str | Path] = ["--subscribers", str(subscribers), "--months", str(months)]
    return ["tenure", "simulate", *size, "--seed", str(seed), "--out", raw]


def run_command(raw: Path, warehouse: Path) -> list[str | Path]:
    """Return the command for the whole way: gate, build, audit, release."""
    return ["tenure", "run", "--raw", raw, "--warehouse", warehouse]


def dbt_command(warehouse: Path) -> list[str | Path]:
    """Return the command that builds and tests the same models and nothing else."""
    artefacts: list[str | Path] = [
        "--target-path",
        warehouse / "dbt",
        "--log-path",
        warehouse / "dbt",
    ]
    project: list[str | Path] = ["--project-dir", PROJECT, "--profiles-dir", PROJECT]
    return ["dbt", "build", "--exclude-resource-type", "unit_test", *project, *artefacts]


def lay_same_views(built: Path, warehouse: Path) -> None:
    """Give a new warehouse the views over the raw files that a run has laid in another."""
    warehouse.mkdir(parents=True)
    with duckdb.connect(built / "build.duckdb", read_only=True) as connection:
        views = connection.execute(
            "select sql from duckdb_views() where schema_name = 'raw' order by view_name"
        ).fetchall()
    with duckdb.connect(warehouse / "build.duckdb") as connection:
        connection.execute("create schema raw")
        for (view,) in views:
            connection.execute(view)


def measure_rounds(bench: Bench, raw: Path, *, rounds: int) -> None:
    """Measure both ways in turn, each into a new warehouse and then once more into the same.

    In turn, so that whatever else the machine does weighs on both; a first run that isn't measured
    lays the views and warms what the system keeps of files.
    """
    seen = bench.folder / "seen"
    bench.run(WHOLE_RUN, run_command(raw, seen), occasion="to warm up", warehouse=seen)
    for number in range(rounds):
        bare, whole = bench.folder / f"bare-{number}", bench.folder / f"whole-{number}"
        lay_same_views(seen, bare)
        for occasion in OCCASIONS:
            bench.run(BARE_BUILD, dbt_command(bare), occasion=occasion, warehouse=bare)
            bench.run(WHOLE_RUN, run_command(raw, whole), occasion=occasion, warehouse=whole)


def main(
    *,
    raw: Annotated[
        Path | None,
        typer.Option(help="Folder of raw tables; without it a service is simulated."),
    ] = None,
    subscribers: Annotated[int, typer.Option(min=1, help="Subscribers to simulate.")] = 20_000,
    months: Annotated[int, typer.Option(min=1, help="Months to simulate.")] = 36,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 7,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    folder: Annotated[
        Path,
        typer.Option(
            help="Folder for the builds, which are deleted in the end.", show_default=False
        ),
    ] = PROJECT / "demo",
    readme: Annotated[
        Path, typer.Option(help="File between whose markers the table goes.", show_default=False)
    ] = README,
) -> None:
    """Measure time, memory and disk of a bare `dbt build` and of `tenure run`."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    machine = describe_machine()
    try:
        # it should not take the whole measurement to find out that its result has no place
        around_markers(readme)
        folder.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(prefix="benchmark-", dir=folder.absolute()) as temporary,
            Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ):
            bench = Bench(Path(temporary), progress)
            service = "" if raw is None else f"the raw tables in {raw.name}"
            if raw is None:
                raw = bench.folder / "raw"
                service = f"{subscribers:,} subscribers over {months} months, seed {seed}"
                command = simulate_command(raw, subscribers=subscribers, months=months, seed=seed)
                bench.run(SIMULATION, command)
            measure_rounds(bench, raw.absolute(), rounds=rounds)
            report = Report(
                service=f"{service}: {folder_bytes(raw) / 1e6:,.0f} MB of raw files",
                command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
                machine=machine,
                rounds=rounds,
                measured=tuple(bench.measured),
            )
    except (CommandError, MarkerError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(code=1 if isinstance(error, CommandError) else 2) from error
    write_between_markers(readme, report.markdown())
    # where there is no terminal, Rich would fold the table into 80 columns
    Console(width=max(Console().width, TABLE_WIDTH)).print(report.table())
