"""`python -m tests.spark.cost FEW MANY OUT`: what a million plays more cost on either engine.

The models that read playback are built of a raw folder with few plays and of one with many, on
DuckDB and on Spark; what the second took more of the processor, by the million plays that it has
more, is their cost. What does not grow with them, such as to plan a query, is not in it. Needs the
extra `spark` and Java.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psutil
from rich.console import Console

from orchestration.database.sql_text import quoted_text
from orchestration.database.warehouse import Warehouse
from orchestration.settings import PROJECT_DIR
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject
from orchestration.transform.spark import Spark
from tests.built_service import land, run_dbt

GROWING = (
    "path:models/staging/viewing",
    "path:models/staging/profiles/stg_profiles__playback_sessions.sql",
    "path:models/intermediate/viewing",
)
UPSTREAM = tuple(f"+{each}" for each in GROWING)
# Spark drops these after each invocation
FORGOTTEN = "config.database:forgotten"


def main(few: Path, many: Path, out: Path) -> None:
    """Prints the cost of each engine, and their ratio."""
    console = Console()
    plays = _plays(few)
    added = _plays(many) - plays
    console.print(f"{plays:,} plays, and {added:,} more")
    costs = {}
    for target in ("embedded", "spark"):
        before, after = _seconds(target, few, many, Warehouse(out / target))
        costs[target] = (after - before) / added * 1e6
        console.print(
            f"{target}: {before:.1f} s, {after:.1f} s: {costs[target]:.1f} s a million more"
        )
    console.print(f"Spark takes {costs['spark'] / costs['embedded']:.1f} times as much")


def _plays(raw: Path) -> int:
    files = quoted_text(f"{raw}/playback_sessions/*.parquet")
    ((rows,),) = duckdb.sql(f"select count(*) from read_parquet({files})").fetchall()
    return int(rows)


def _seconds(target: str, few: Path, many: Path, place: Warehouse) -> tuple[float, float]:
    """Seconds of the processor for the models of few plays and of many."""
    place.prepare()
    parsed = DbtProject(PROJECT_DIR, target).parse(place, check_parameters(PROJECT_DIR).parameters)
    spark = Spark(PROJECT_DIR, target, place) if target == "spark" else None
    seconds: list[float] = []
    for folder in (few, many):
        land(parsed, folder, place, spark)
        # first what they read, and themselves, unmeasured: Java compiles what runs often
        run_dbt(parsed, place, select=UPSTREAM, exclude=(), tests="none")
        with _measured(seconds):
            run_dbt(parsed, place, select=(FORGOTTEN, *GROWING), exclude=(), tests="none")
    few_seconds, many_seconds = seconds
    return few_seconds, many_seconds


@contextmanager
def _measured(seconds: list[float]) -> Iterator[None]:
    before = _processor()
    yield
    seconds.append(_processor() - before)


def _processor() -> float:
    """Seconds that this process and those that it started have had of the processor."""
    me = psutil.Process()
    return sum(
        times.user + times.system
        for process in (me, *me.children(recursive=True))
        for times in [process.cpu_times()]
    )


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:4]))
