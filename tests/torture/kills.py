"""Kills of runs at random instants, spread over the whole run and denser in its release."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from tests.torture.world import HORIZONS, RELEASING, World

SHARE_IN_RELEASE = 0.4


@dataclass
class Account:
    """What was done and what came of it."""

    kills: int = 0
    kills_in_release: int = 0
    too_late: int = 0
    next_runs: int = 0
    wrong: list[str] = field(default_factory=list)


def kill_once(
    world: World, chance: random.Random, account: Account, *, in_release: bool | None = None
) -> None:
    """Starts a run of the other horizon and kills it at a random instant; judges what stands.

    An instant is a stage of the run and a time since it began, so that a loaded machine, on which a
    run takes longer than the last one, does not move all kills to its beginning. A run that had
    ended by then counts as too late, not as a kill.
    """
    run = world.start(chance.choice(HORIZONS))
    if in_release is None:
        in_release = chance.random() < SHARE_IN_RELEASE
    earlier = [stage for stage in world.stages if stage.name != RELEASING]
    # what follows the release, up to the end of the process, is counted to it
    (length,) = [stage.seconds for stage in world.stages if stage.name == RELEASING]
    if in_release:
        run.wait_for(RELEASING)
        time.sleep(chance.uniform(0, length))
    else:
        instant = chance.uniform(0, sum(stage.seconds for stage in earlier))
        for stage in earlier:
            if instant < stage.seconds:
                break
            instant -= stage.seconds
            following = earlier[earlier.index(stage) + 1 :]
            if not following or not run.wait_for(following[0].name):
                break
        time.sleep(instant)
    if run.kill():
        account.kills += 1
        account.kills_in_release += in_release
    else:
        account.too_late += 1
    account.wrong.extend(world.standing_faults())


def run_next(world: World, chance: random.Random, account: Account) -> None:
    """A run that nothing disturbs after those that were."""
    account.next_runs += 1
    account.wrong.extend(world.finish(chance.choice(HORIZONS)))
