"""What it was measured on: the machine and the versions, in words."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

PACKAGES = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "great-expectations")


@dataclass(frozen=True)
class Machine:
    """A machine and what ran on it; `load_average` is that of the minute before the start."""

    measured_on: str
    cores: int
    memory_bytes: int
    load_average: float
    system: str
    versions: tuple[str, ...]

    def sentences(self) -> str:
        """Return it as prose."""
        return (
            f"Measured on {self.measured_on} on {self.cores} cores and "
            f"{self.memory_bytes / 2**30:.0f} GiB of memory ({self.system}). "
            f"The load average was {self.load_average:.1f} before the start. "
            f"{', '.join(self.versions)}."
        )


def describe_machine() -> Machine:
    """Return this machine as it is now."""
    return Machine(
        measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        load_average=psutil.getloadavg()[0],
        system=f"{platform.system()} {platform.machine()}",
        versions=(
            f"Python {platform.python_version()}",
            *(f"{package} {version(package)}" for package in PACKAGES),
        ),
    )
