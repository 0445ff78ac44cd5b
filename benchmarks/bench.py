"""A place to measure in: it runs commands one after another and notes what each cost."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from rich.progress import Progress

from benchmarks.processes import CommandError, measure
from benchmarks.report import Measured
from benchmarks.works import PROJECT, Command
from orchestration.database.warehouse import Warehouse
from orchestration.raw import landing
from orchestration.raw.folder import open_raw_folder
from orchestration.transform.project import DbtProject


@dataclass
class Bench:
    """A folder to measure in, and what was measured in it so far."""

    folder: Path
    progress: Progress
    measured: list[Measured] = field(default_factory=list)
    runs: int = 0

    @classmethod
    def below(cls, folder: Path, name: str, progress: Progress) -> Bench:
        """Return a bench in a new folder of this name."""
        place = folder / name
        place.mkdir()
        return cls(place, progress)

    def run(
        self, work: str, command: Command, *, warehouse: Path | None = None, counts: bool = True
    ) -> None:
        """Run the command of the checkout's environment and, if it counts, note what it cost."""
        what = work if counts else f"{work} (not counted)"
        task = self.progress.add_task(what, total=1)
        self.runs += 1
        usage = measure(
            [Path(sys.executable).parent / command[0], *command[1:]],
            environment=_environment(warehouse),
            log=self.folder / f"{self.runs}.log",
        )
        if counts:
            place = Warehouse(warehouse) if warehouse else None
            self.measured.append(
                Measured(
                    work,
                    usage,
                    left_bytes=folder_bytes(place.root) if place else None,
                    released_bytes=_size(place.release_file) if place else None,
                )
            )
        self.progress.advance(task)
        if not self.progress.console.is_terminal:
            self.progress.console.print(f"{what}: {usage.wall_seconds:.1f} s")


def _environment(warehouse: Path | None) -> Mapping[str, str]:
    # a history that somebody keeps must not be filled, nor its size weigh on what is measured
    kept = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return kept | ({"TENURE_WAREHOUSE": str(warehouse)} if warehouse else {})


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in the folder, links not followed."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(file.stat().st_size for file in files)


def lay_views(raw: Path, warehouse: Path) -> None:
    """Make a warehouse with the views over the raw files, which a bare `dbt build` reads.

    Raises `CommandError` where the landing gate finds a fault in the files.
    """
    contract = DbtProject(PROJECT).contract()
    inspection = landing.inspect(open_raw_folder(raw, contract), contract)
    if inspection.faults:
        raise CommandError("\n".join(map(str, inspection.faults)))
    place = Warehouse(warehouse)
    place.prepare()
    with duckdb.connect(str(place.build_file)) as connection:
        landing.lay_views(connection, inspection)
