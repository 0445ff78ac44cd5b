"""What is measured: the works by name, the commands that do them, and what they are set against."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

OTHER_TIMEZONE = "America/New_York"
"""Another time zone than the project's, whose clock is put forward and back."""

PROJECT = Path(__file__).resolve().parent.parent

Command = list[str | Path]


class Work(StrEnum):
    """A whole process that is measured; those from `DAY` on come into the warehouse of `RUN`."""

    SIMULATION = "tenure simulate"
    READ = "bare read of the raw files"
    PARSE = "dbt parse, warm"
    BUILD = "dbt build"
    RUN = "tenure run"
    ELSEWHERE = "tenure run, in another time zone"
    DAY = "tenure run, one new day"
    PLAY = "tenure run, one corrected play"
    CHANGE = "tenure run, one corrected change"
    LINE = "tenure run, one corrected invoice line"
    REFRESH = "tenure run --full-refresh"


INCREMENTS = (Work.DAY, Work.PLAY, Work.CHANGE, Work.LINE)
MEASURABLE = tuple(work for work in Work if work is not Work.SIMULATION)


def simulate_command(
    raw: Path, *, subscribers: int, months: int, plays_per_month: float, seed: int
) -> Command:
    """Return the command that writes the raw tables."""
    size: Command = ["--subscribers", str(subscribers), "--months", str(months)]
    plays: Command = ["--plays-per-month", str(plays_per_month)]
    return ["tenure", "simulate", *size, *plays, "--seed", str(seed), "--out", raw]


def run_command(
    raw: Path, warehouse: Path, *, full_refresh: bool = False, timezone: str | None = None
) -> Command:
    """Return the command for the whole way: gate, build, audit, release."""
    refresh: Command = ["--full-refresh"] if full_refresh else []
    zone: Command = ["--vars", json.dumps({"reporting_timezone": timezone})] if timezone else []
    return ["tenure", "run", "--raw", raw, "--warehouse", warehouse, *refresh, *zone]


def read_command(raw: Path) -> Command:
    """Return the command that reads every raw column once."""
    return ["python", "-m", "benchmarks.bare_read", raw]


def dbt_build_command(warehouse: Path) -> Command:
    """Return the command that builds and tests the models of a run and nothing else."""
    return ["dbt", "build", "--exclude-resource-type", "unit_test", *_dbt_options(warehouse)]


def dbt_parse_command(warehouse: Path) -> Command:
    """Return the command that parses the project, all of it or what changed since the last time."""
    return ["dbt", "parse", *_dbt_options(warehouse)]


def dbt_lineage_command(warehouse: Path, model: str) -> Command:
    """Return the command that builds a model and all that it stands on, without a test."""
    only_models: Command = ["--exclude-resource-type", "unit_test", "--exclude-resource-type"]
    return ["dbt", "build", "--select", f"+{model}", *only_models, "test", *_dbt_options(warehouse)]


def _dbt_options(warehouse: Path) -> Command:
    artefacts: Command = ["--target-path", warehouse / "dbt", "--log-path", warehouse / "dbt"]
    return ["--project-dir", PROJECT, "--profiles-dir", PROJECT, *artefacts]
