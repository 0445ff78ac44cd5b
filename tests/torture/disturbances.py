"""What else is done to a run: a full disk, raw files cut or taken away, another run beside it.

Each returns what was wrong about it, empty where all is as it should be. What it does to the world
it undoes; whether the next run is as ever is asked by who calls.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture import content
from tests.torture.world import HORIZONS, Ended, World, told_as

WAITING = "another run has the warehouse"
MEGABYTE = 1024 * 1024

Disturbance = Callable[[World, random.Random], list[str]]


def _judged(world: World, ended: Ended, statuses: set[int], words: str) -> list[str]:
    wrong = world.standing_faults()
    if ended.exit_status not in statuses:
        wrong.append(f"ended with {ended.exit_status}: {ended.text[-2000:]}")
    elif ended.exit_status and words not in ended.text:
        wrong.append(f"did not say {words!r}: {ended.text[-2000:]}")
    if "Traceback" in ended.text:
        wrong.append(f"a stack trace: {ended.text[-2000:]}")
    return wrong


def two_at_once(world: World, _chance: random.Random) -> list[str]:
    """Two runs of two horizons, held up until both are there: both say that they wait, and release.

    Without holding them up, the first of a small service may have ended when the second begins.
    """
    with world.warehouse.build_lock(on_wait=lambda: None):
        runs = [world.start(as_of) for as_of in HORIZONS]
        came = [run.wait_for(WAITING) for run in runs]
    ends = [run.end() for run in runs]
    wrong = world.standing_faults()
    wrong.extend(f"{end.exit_status}: {end.text[-2000:]}" for end in ends if end.exit_status)
    if not all(came):
        wrong.append(f"{came.count(False)} of two runs did not say that they wait")
    released = {content.read(path).as_of for path in world.kept()[-2:]}
    if released != {told_as(each) for each in HORIZONS}:
        wrong.append(f"the last two releases are as of {released}")
    return wrong


def cut_file(world: World, chance: random.Random) -> list[str]:
    """A raw Parquet file that ends too early is refused before anything is built."""
    path = chance.choice(_raw_files(world))
    whole = path.read_bytes()
    path.write_bytes(whole[: chance.randrange(len(whole))])
    try:
        ended = world.start(HORIZONS[0]).end()
    finally:
        path.write_bytes(whole)
    return _judged(world, ended, {2}, path.name)


def cut_file_in_mid_run(world: World, chance: random.Random) -> list[str]:
    """A raw file that is cut while it is read, or when nobody reads it any more."""
    path = chance.choice(_raw_files(world))
    whole = path.read_bytes()
    run = world.start(HORIZONS[1])
    run.wait_for("building and testing the models")
    time.sleep(chance.uniform(0, 8))
    path.write_bytes(whole[: len(whole) // 2])
    try:
        ended = run.end()
    finally:
        path.write_bytes(whole)
    return _judged(world, ended, {0, 2}, path.name)


def remove_table_in_mid_run(world: World, chance: random.Random) -> list[str]:
    """A raw table's files go while they are read, or when nobody reads them any more."""
    folder = chance.choice(_raw_files(world)).parent
    aside = world.root / "aside"
    run = world.start(HORIZONS[1])
    run.wait_for("building and testing the models")
    time.sleep(chance.uniform(0, 8))
    folder.rename(aside)
    try:
        ended = run.end()
    finally:
        aside.rename(folder)
    return _judged(world, ended, {0, 2}, folder.name)


def full_disk(world: World, chance: random.Random) -> list[str]:
    """A copy of the warehouse on a small disk that runs full somewhere in a run.

    Mounts it, which only root may.
    """
    needed = sum(path.stat().st_size for path in world.warehouse.root.rglob("*") if path.is_file())
    free = chance.randrange(MEGABYTE, 40 * MEGABYTE)
    with _small_disk(needed + free) as disk:
        copy = World(disk, undisturbed=world.undisturbed)
        shutil.copytree(world.warehouse.root, copy.warehouse.root, symlinks=True)
        ended = world.start(HORIZONS[0], warehouse=copy.warehouse.root).end()
        return _judged(copy, ended, {0, 1}, "is full")


@contextmanager
def _small_disk(size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="small-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder]
        subprocess.run(mount, check=True, capture_output=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607


def _raw_files(world: World) -> list[Path]:
    return sorted(world.raw.glob("*/*.parquet"))


NEEDS_ROOT = "full disk"

DISTURBANCES: dict[str, Disturbance] = {
    NEEDS_ROOT: full_disk,
    "cut raw file": cut_file,
    "raw file cut in mid-run": cut_file_in_mid_run,
    "raw table removed in mid-run": remove_table_in_mid_run,
    "two at once": two_at_once,
}
