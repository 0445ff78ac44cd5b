"""The command `tenure simulate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.commands.options import folder


def simulate_command(
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="Folder for the raw tables and truth.json.",
            parser=folder,
            metavar="<path>",
        ),
    ],
    subscribers: Annotated[
        int, typer.Option("--subscribers", help="Sign-ups over the whole time.")
    ] = 20_000,
    months: Annotated[int, typer.Option("--months", help="Calendar months up to the end.")] = 36,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    plays_per_month: Annotated[
        float,
        typer.Option("--plays-per-month", help="Playback sessions a subscriber-month of access."),
    ] = 9.0,
    dirt: Annotated[
        bool, typer.Option("--dirt", help="Plant duplicates, revisions and faults.")
    ] = False,
    end: Annotated[
        datetime,
        typer.Option("--end", formats=["%Y-%m-%d"], help="First of the month that it ends before."),
    ] = datetime(2026, 1, 1),  # noqa: DTZ001 the option's format has no zone; it is read as UTC
) -> None:
    """Simulate a streaming service: its raw tables, and the truth about them in truth.json."""
    # what draws arrays is loaded only when it is asked to draw
    from simulator.service import SimulationError, simulate

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("subscribers", total=subscribers)
            truth = simulate(
                subscribers=subscribers,
                months=months,
                seed=seed,
                out=out,
                plays_per_month=plays_per_month,
                dirt=dirt,
                end=end.replace(tzinfo=UTC),
                progress=lambda done: bar.advance(task, done),
            )
    except SimulationError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(code=2) from error
    rows = sum(table["raw_rows"] for table in truth.row_reconciliation.values())
    typer.echo(
        f"{rows:,} rows of {subscribers:,} subscribers over {months} months "
        f"in {out}, known up to {truth.as_of}"
    )
