"""The short form of `make torture`: a project of a few models, two kills, and two runs at once."""

import random
from pathlib import Path

import duckdb
import pytest

from tests.torture import content
from tests.torture.disturbances import two_at_once
from tests.torture.kills import Account, kill_once
from tests.torture.small import build_small_world
from tests.torture.world import HORIZONS, World, told_as


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_small_world(tmp_path_factory.mktemp("torture"))


def test_kills_and_two_runs_at_once_leave_whole_releases(world: World) -> None:
    chance = random.Random(3)  # noqa: S311
    account = Account()
    with world.readers() as seen:
        kill_once(world, chance, account, in_release=False)
        kill_once(world, chance, account, in_release=True)
        wrong = two_at_once(world, chance)
    assert account.kills >= 1
    assert account.wrong == []
    assert wrong == []
    assert world.leftovers() == []
    assert [each["wrong"] for each in seen] == [[], []]
    assert all(each["reads"] > 0 for each in seen)


def test_what_is_no_whole_release_is_seen(world: World, tmp_path: Path) -> None:
    """The judge judges: a lost row, a changed one and figures of another horizon."""
    whole = content.read(world.release_file)
    assert content.faults(whole, world.undisturbed) == []
    torn = tmp_path / "torn.duckdb"
    torn.write_bytes(world.release_file.read_bytes())
    with duckdb.connect(str(torn)) as connection:
        connection.execute("update marts.dim_people set age = 77 where person_id = 'p1'")
    (fault,) = content.faults(content.read(torn), world.undisturbed)
    assert "not the undisturbed build: ['marts.dim_people']" in fault
    with duckdb.connect(str(torn)) as connection:
        connection.execute("delete from marts.dim_people where person_id = 'p1'")
    fault, _ = content.faults(content.read(torn), world.undisturbed)
    assert "{'marts.dim_people': (1, 2)}" in fault
    (other,) = (each for each in HORIZONS if told_as(each) != whole.as_of)
    expected = {whole.as_of: world.undisturbed[told_as(other)]}
    (fault,) = content.faults(whole, expected)
    assert "['marts.known_until']" in fault
