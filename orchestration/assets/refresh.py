"""What every asset of the way has in common: the resource, and how an end is told to Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.database.warehouse import (
    Warehouse,
)
from orchestration.errors import InputError, TenureError
from orchestration.progress import Reporter
from orchestration.settings import Settings
from orchestration.transform.parameters import Parameters, check_parameters
from orchestration.transform.project import DbtProject
from orchestration.transform.spark import TYPE as SPARK
from orchestration.transform.spark import Spark, targets

# the build's database takes one writer at a time
POOL = "duckdb"
# in the metadata of a failure, for whoever ends the process
EXIT_STATUS = "exit_status"


class Refresh(dg.ConfigurableResource["Refresh"]):
    """What one run works on, with the warehouse held for it alone from first step to last."""

    raw: str
    warehouse: str
    project_dir: str
    target: str = "embedded"
    as_of: str | None = None
    variables: str | None = None
    full_refresh: bool = False
    reporter: dg.ResourceDependency[Reporter]

    @property
    def project(self) -> DbtProject:
        """The dbt project that is run."""
        return DbtProject(Path(self.project_dir), self.target)

    @property
    def place(self) -> Warehouse:
        """The warehouse that is written to."""
        return Warehouse(Path(self.warehouse).absolute())

    @property
    def spark(self) -> Spark | None:
        """The Spark that builds; None where DuckDB does."""
        if targets(self.project.root)[self.target]["type"] != SPARK:
            return None
        return Spark(self.project.root, self.target, self.place)

    @property
    def raw_folder(self) -> Path:
        """The folder of raw files."""
        return Path(self.raw).absolute()

    def parameters(self) -> Parameters:
        """The checked parameters; raises InputError where one is wrong."""
        findings = check_parameters(self.project.root, as_of=self.as_of, variables=self.variables)
        if findings.faults:
            raise InputError(findings.faults)
        return findings.parameters

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Refresh"]:
        """Waits for its turn on the warehouse and clears away what a killed run left."""
        del context
        self.place.prepare()
        with self.place.build_lock(
            on_wait=lambda: self.reporter.note(
                f"another run has the warehouse {self.place.root}; waiting for it to end"
            )
        ):
            yield self


def runbook_page(page: str) -> dg.MetadataValue[Any]:
    """Where the runbook tells of a check, as a link where it is one."""
    address = f"{Settings().alert_runbook_url}#{page}"
    return dg.MetadataValue.url(address) if "://" in address else dg.MetadataValue.text(address)


@contextmanager
def told_to_dagster() -> Iterator[None]:
    """Turns a foreseen end into a failure that carries its exit status and is not tried again."""
    try:
        yield
    except TenureError as error:
        raise dg.Failure(
            description=str(error),
            metadata={EXIT_STATUS: error.exit_status},
            allow_retries=False,
        ) from error
