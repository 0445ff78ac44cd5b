"""A small service with its warehouse, readers on it, and what can be done to a run of it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestration.database.warehouse import Warehouse
from orchestration.settings import PROJECT_DIR
from simulator.service import simulate
from tests.torture import content
from tests.torture.content import Content

RELEASING = "releasing"
# what is run: two horizons of one service, so that one release is not the other
HORIZONS = ("2025-12-15T00:00:00Z", "2026-01-01T00:00:00Z")
LONGEST_RUN = 900


@dataclass(frozen=True)
class Stage:
    """A stage of a run as its lines tell it: its name and its seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How a run ended; `exit_status` is negative for the signal that killed it."""

    exit_status: int
    lines: tuple[str, ...]
    stages: tuple[Stage, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Program:
    """What is run: Python that calls `tenure`, and the dbt project that it builds."""

    code: str = "from orchestration.cli import program; program()"
    project_dir: Path = PROJECT_DIR


class Run:
    """A `tenure run` under way, with all its processes in a group of their own."""

    def __init__(self, program: Program, raw: Path, warehouse: Path, as_of: str) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", program.code, "run"),
                *("--raw", str(raw), "--warehouse", str(warehouse), "--as-of", as_of),
            ],
            cwd=PROJECT_DIR,
            env={**os.environ, "TENURE_PROJECT_DIR": str(program.project_dir)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._told: list[tuple[float, str]] = [(time.monotonic(), "loading")]
        self._news: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            text = line.rstrip("\n")
            self._lines.append(text)
            stage = text[9:]
            # `building: 71 of 557` is of the stage that goes on
            if text[2:3] == ":" and ": " not in stage:
                self._told.append((time.monotonic(), stage))
                self._news.put(stage)
        self._news.put(None)

    def wait_for(self, stage: str) -> bool:
        """Waits for a line that begins like this; False where the run ends before."""
        while (told := self._news.get(timeout=LONGEST_RUN)) is not None:
            if told.startswith(stage):
                return True
        return False

    def kill(self) -> bool:
        """SIGKILL to the whole group; False where the run had ended by itself."""
        alive = self._process.poll() is None
        if alive:
            os.killpg(self._process.pid, signal.SIGKILL)
        return self.end().exit_status == -signal.SIGKILL

    def end(self) -> Ended:
        """Waits for the end."""
        status = self._process.wait(timeout=LONGEST_RUN)
        ended_at = time.monotonic()
        self._listener.join(timeout=10)
        ends = [at for at, _ in self._told[1:]] + [ended_at]
        stages = tuple(
            Stage(name, end - begin) for (begin, name), end in zip(self._told, ends, strict=True)
        )
        return Ended(status, tuple(self._lines), stages)


@dataclass
class World:
    """A service, its warehouse and what undisturbed builds of it hold, by horizon."""

    root: Path
    program: Program = field(default_factory=Program)
    undisturbed: dict[str, Content] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root / "warehouse")

    @property
    def release_file(self) -> Path:
        return self.warehouse.release_file

    def kept(self) -> list[Path]:
        """The files of the kept releases, oldest first."""
        return sorted(self.warehouse.releases_dir.glob("[!.]*.duckdb"))

    def start(self, as_of: str, *, warehouse: Path | None = None) -> Run:
        return Run(self.program, self.raw, warehouse or self.warehouse.root, as_of)

    def finish(self, as_of: str) -> list[str]:
        """A run that nothing disturbs: why it did not release what an undisturbed one does."""
        ended = self.start(as_of).end()
        if ended.exit_status != 0:
            return [f"the next run ended with {ended.exit_status}: {ended.text[-2000:]}"]
        self.stages = ended.stages
        found = content.read(self.release_file)
        wrong = content.faults(found, self.undisturbed)
        if found.as_of != told_as(as_of):
            wrong.append(f"asked for {as_of}, released {found.as_of}")
        return [*wrong, *self.standing_faults(), *self.leftovers()]

    def standing_faults(self) -> list[str]:
        """Why what stands before readers is no whole release."""
        if not self.release_file.exists():
            return ["there is no release any more"]
        found = content.read(self.release_file)
        wrong = content.faults(found, self.undisturbed)
        link = self.warehouse.parquet_link
        kept = self.warehouse.releases_dir / f"{link.resolve().stem}.duckdb"
        told = content.read(kept).told_rows
        if content.parquet_rows(link) != told:
            wrong.append(f"the Parquet copies are not those of {kept.stem}")
        return wrong

    def leftovers(self) -> list[str]:
        """What a run that went well should have taken away."""
        place = self.warehouse
        hidden = [*place.root.glob(".[!.]*"), *place.releases_dir.glob(".*")]
        names = [path.name for path in hidden if path.suffix != ".lock"]
        return [f"left behind: {names}"] if names else []

    @contextmanager
    def readers(self) -> Iterator[list[dict[str, Any]]]:
        """A reader that holds the release open and one that opens it anew; yields what they saw."""
        expected = self.root / "undisturbed.json"
        expected.write_text(
            json.dumps({as_of: asdict(found) for as_of, found in self.undisturbed.items()})
        )
        started = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.torture.reader"),
                    *(mode, str(self.release_file), str(expected)),
                ],
                cwd=PROJECT_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for mode in ("hold", "anew")
        ]
        seen: list[dict[str, Any]] = []
        try:
            for reader in started:
                assert reader.stdout
                assert reader.stdout.readline() == "reading\n"
            yield seen
        finally:
            for reader in started:
                told, _ = reader.communicate(timeout=60)
                seen.append(json.loads(told))


def told_as(as_of: str) -> str:
    """A horizon as a release tells it."""
    return as_of.replace("T", " ").removesuffix("Z")


def build_service_world(root: Path, *, subscribers: int) -> World:
    """A simulated service, the whole project, and what undisturbed builds of it hold."""
    world = World(root)
    simulate(subscribers=subscribers, months=4, seed=11, plays_per_month=2.0, out=world.raw)
    # new ids for who is forgotten are random, and here a build is to be like another
    shutil.rmtree(world.raw / "erasure_requests")
    build_undisturbed(world)
    return world


def build_undisturbed(world: World) -> None:
    """Builds each horizon from nothing; the warehouse of the last one is then the one to disturb.

    Raises RuntimeError with what a run told that did not go well.
    """
    for as_of in HORIZONS:
        shutil.rmtree(world.warehouse.root, ignore_errors=True)
        ended = world.start(as_of).end()
        if ended.exit_status != 0:
            raise RuntimeError(ended.text)
        world.stages = ended.stages
        world.undisturbed[told_as(as_of)] = content.read(world.release_file)
