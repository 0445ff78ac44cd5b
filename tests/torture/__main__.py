"""`python -m tests.torture`: what `make torture` runs."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from tests.torture.disturbances import DISTURBANCES, NEEDS_ROOT
from tests.torture.kills import Account, kill_once, run_next
from tests.torture.small import build_small_world
from tests.torture.world import World, build_service_world


def main(
    *,
    kills: Annotated[int, typer.Option(help="Runs to kill.")] = 100,
    next_run_after: Annotated[int, typer.Option(help="Kills before a run is let through.")] = 5,
    disturbances: Annotated[int, typer.Option(help="Times that each of the others is done.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the instants.")] = 1,
    subscribers: Annotated[int, typer.Option(help="Size of the service.")] = 60,
    small: Annotated[
        bool, typer.Option("--small", help="A project of a few models: kills alone, and faster.")
    ] = False,
    minutes: Annotated[float, typer.Option(help="Begin nothing new after so many.")] = 24 * 60,
) -> None:
    """Disturb runs on a small service in every way, and say what readers and the next runs saw."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311
    account = Account()
    possible = [name for name in DISTURBANCES if name != NEEDS_ROOT or not os.geteuid()]

    def is_time_left() -> bool:
        return time.monotonic() - began < minutes * 60

    def tell(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:7.0f} s  {text}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        if small:
            world, disturbances = build_small_world(Path(folder)), 0
        else:
            world = build_service_world(Path(folder), subscribers=subscribers)
        tell("built undisturbed; stages: " + ", ".join(map(str, world.stages)))
        with world.readers() as seen:
            done = dict.fromkeys(DISTURBANCES, 0)
            if os.geteuid():
                tell("no full disk: mounting a small one needs root")
            for name in possible * disturbances:
                if is_time_left():
                    account.wrong.extend(_disturb(world, name, chance))
                    done[name] += 1
                    tell(f"{name}: {_wrong(account)}")
            run_next(world, chance, account)
            tell(f"next run: {_wrong(account)}")
            while account.kills < kills and is_time_left():
                kill_once(world, chance, account)
                tell(f"kill {account.kills}: {_wrong(account)}")
                if account.kills % next_run_after == 0:
                    run_next(world, chance, account)
                    tell(f"next run: {_wrong(account)}")
            run_next(world, chance, account)
    reads = sum(each["reads"] for each in seen)
    account.wrong.extend(text for each in seen for text in each["wrong"])
    tell(f"{account.kills} kills, {account.kills_in_release} of them in the release;")
    tell(f"{account.too_late} came too late and are not counted")
    tell(", ".join(f"{name} {count}" for name, count in done.items()))
    tell(f"{account.next_runs} next runs compared with an undisturbed build, table by table")
    tell(f"{reads} reads by two readers, of {len(seen[1]['releases'])} releases")
    tell(f"{len(account.wrong)} wrong")
    for text in account.wrong:
        tell(text)
    sys.exit(bool(account.wrong))


def _disturb(world: World, name: str, chance: random.Random) -> list[str]:
    return [f"{name}: {text}" for text in DISTURBANCES[name](world, chance)]


def _wrong(account: Account) -> str:
    return f"{len(account.wrong)} wrong so far" if account.wrong else "well"


typer.run(main)
