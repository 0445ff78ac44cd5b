"""A project of a few models instead of the whole one: what runs, waits and releases is the same."""

from __future__ import annotations

from pathlib import Path

from tests.orchestration.samples import write_people, write_small_project
from tests.torture.world import Program, World, build_undisturbed

WITHOUT_EXPECTATIONS = """
import pytest
from orchestration.cli import program
from tests.orchestration.samples import take_expectations_away
take_expectations_away(pytest.MonkeyPatch())
program()
"""


def build_small_world(root: Path) -> World:
    """Two people, and a mart that is not the same as of two horizons."""
    project = write_small_project(root / "project")
    marts = project / "models" / "marts"
    (marts / "known_until.sql").write_text("select as_of from {{ ref('stg_clock') }}")
    (marts / "known_until.yml").write_text(
        "models:\n  - name: known_until\n    columns: [{name: as_of, data_type: timestamp}]\n"
    )
    world = World(root, Program(WITHOUT_EXPECTATIONS, project))
    write_people(world.raw, ages=[1, 2])
    build_undisturbed(world)
    return world
