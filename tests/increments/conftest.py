"""What dbt executes, recorded once a session."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.transform.manifest import Manifest
from orchestration.transform.project import DbtProject
from tests.one_parse import invoke_dbt, what_failed
from tests.recorded import record

from .builds import Build, keep, lay_empty
from .scripts import SELECTED, Scripts

NewBuild = Callable[[], Build]

# midnight is skipped there in spring
ZONE = os.environ.get("TENURE_SPLITS_ZONE", "America/Havana")


@pytest.fixture(scope="session")
def scripts(
    project: DbtProject, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> Scripts:
    """The statements of a full build and of an increment, on tables without rows."""
    warehouse, target = tmp_path_factory.mktemp("warehouse"), tmp_path_factory.mktemp("target")
    database = str(warehouse / "build.duckdb")
    variables = json.dumps({"reporting_timezone": ZONE})
    with duckdb.connect(database) as connection:
        lay_empty(connection, project.contract())

    def recorded(*, adds: bool) -> tuple[str, ...]:
        return record(
            warehouse, target=target, variables=variables, select=SELECTED, adds=adds
        ).statements

    seeding = invoke_dbt(["seed"], warehouse, target=target)
    assert seeding.success, what_failed(seeding)
    full = recorded(adds=False)
    with duckdb.connect(database) as connection:
        keep(connection, manifest.kept_tables())
    return Scripts(Path(database), full, recorded(adds=True))


@pytest.fixture(scope="session")
def new_build(scripts: Scripts, project: DbtProject, manifest: Manifest) -> Iterator[NewBuild]:
    """A build with nothing in it; all are closed in the end."""
    opened: list[Build] = []

    def make() -> Build:
        for build in opened:
            build.close()
        opened.clear()
        opened.append(Build(scripts, project.contract(), manifest))
        return opened[0]

    yield make
    for build in opened:
        build.close()
