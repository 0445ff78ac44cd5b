"""Fixtures that tests of several packages share: the parsed project and runs on raw folders."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from orchestration import refresh_job
from orchestration.database.warehouse import Warehouse
from orchestration.progress import LineReporter
from orchestration.settings import PROJECT_DIR, RunRequest, Settings
from orchestration.transform.manifest import Manifest
from orchestration.transform.project import DbtProject, ParsedProject
from tests.one_parse import parse_once, parsed_once, write_parse

RunPipeline = Callable[..., Warehouse]


@pytest.fixture(scope="session")
def project() -> DbtProject:
    """The dbt project of this checkout."""
    return DbtProject(PROJECT_DIR)


@pytest.fixture(scope="session", autouse=True)
def one_parse() -> Iterator[None]:
    """Lets all runs of a process do with one parse of this checkout's project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DbtProject, "parse", parse_once)
        yield


@pytest.fixture(scope="session")
def parsed_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with what dbt writes of `parsed_project`; nothing is built in it."""
    warehouse = Warehouse(tmp_path_factory.mktemp("parsed"))
    warehouse.prepare()
    write_parse(warehouse)
    return warehouse


@pytest.fixture(scope="session")
def parsed_project() -> ParsedProject:
    """The dbt project, parsed once for all tests with its own vars."""
    return parsed_once()


@pytest.fixture(scope="session")
def manifest(parsed_project: ParsedProject) -> Manifest:
    """The manifest of the dbt project."""
    return parsed_project.manifest


@pytest.fixture(scope="session")
def run_pipeline(tmp_path_factory: pytest.TempPathFactory) -> RunPipeline:
    """Runs the whole way on a raw folder, as `tenure run` does, and returns the warehouse.

    Takes about ten seconds a run. Keyword arguments: `warehouse` to run again in the same place,
    `project_dir`, and those of `RunRequest`. Raises the TenureError that the run ends with.
    """

    def run(
        raw: Path,
        *,
        warehouse: Warehouse | None = None,
        project_dir: Path = PROJECT_DIR,
        as_of: str | None = None,
        variables: str | None = None,
        full_refresh: bool = False,
    ) -> Warehouse:
        place = warehouse or Warehouse(tmp_path_factory.mktemp("warehouse"))
        settings = Settings(raw=raw, warehouse=place.root, project_dir=project_dir)
        request = RunRequest(settings, as_of=as_of, variables=variables, full_refresh=full_refresh)
        refresh_job.run(request, LineReporter(Console(stderr=True)))
        return place

    return run
