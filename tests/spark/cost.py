"""`python -m tests.spark.cost RAW OUT`: what a million plays more cost on Spark and on DuckDB.

The models that read playback are built of a raw folder and of the same with every play several
times over, under ids of its own, on either engine; what the second took more of the processor, by
the million plays that it had more, is their cost. What does not grow with them, such as to plan a
query, is not in it. Needs the extra `spark` and Java.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psutil
from rich.console import Console

from orchestration.parameters import check_parameters
from orchestration.project import DbtProject
from orchestration.settings import PROJECT_DIR
from orchestration.spark import Spark
from orchestration.sql_text import quoted_text
from orchestration.warehouse import Warehouse
from tests.built_service import land, run_dbt

COPIES = 8
GROWING = (
    "path:models/staging/viewing",
    "path:models/staging/profiles/stg_profiles__playback_sessions.sql",
    "path:models/intermediate/viewing",
)
UPSTREAM = tuple(f"+{each}" for each in GROWING)
# Spark drops these after each invocation
FORGOTTEN = "config.database:forgotten"


def main(raw: Path, out: Path) -> None:
    """Prints the cost of each engine, and their ratio."""
    console = Console()
    more = out / "more"
    plays, added = _multiply(raw, more)
    console.print(f"{plays:,} plays, and {added:,} more")
    costs = {}
    for target in ("embedded", "spark"):
        few, many = _seconds(target, raw, more, Warehouse(out / target))
        costs[target] = (many - few) / added * 1e6
        console.print(f"{target}: {few:.1f} s, {many:.1f} s: {costs[target]:.1f} s a million more")
    console.print(f"Spark takes {costs['spark'] / costs['embedded']:.1f} times as much")


def _multiply(raw: Path, more: Path) -> tuple[int, int]:
    shutil.copytree(raw, more)
    folder = more / "playback_sessions"
    plays = f"read_parquet({quoted_text(f'{raw}/playback_sessions/*.parquet')})"
    duckdb.sql(
        f"copy (select sessions.* replace (session_id || '-' || copy as session_id)"
        f" from {plays} as sessions, range(1, {COPIES}) as copies(copy))"
        f" to {quoted_text(str(folder / 'more.parquet'))} (format parquet)"
    )
    ((rows,),) = duckdb.sql(f"select count(*) from {plays}").fetchall()
    return rows, rows * (COPIES - 1)


def _seconds(target: str, raw: Path, more: Path, place: Warehouse) -> tuple[float, float]:
    """Seconds of the processor for the models of few plays and of many."""
    place.prepare()
    parsed = DbtProject(PROJECT_DIR, target).parse(place, check_parameters(PROJECT_DIR).parameters)
    spark = Spark(PROJECT_DIR, target, place) if target == "spark" else None
    seconds: list[float] = []
    land(parsed, raw, place, spark)
    run_dbt(parsed, place, select=UPSTREAM, exclude=(), tests="none")
    # once more, since what runs often is compiled meanwhile
    for folder in (raw, raw, more):
        land(parsed, folder, place, spark)
        with _measured(seconds):
            run_dbt(parsed, place, select=(FORGOTTEN, *GROWING), exclude=(), tests="none")
    return seconds[1], seconds[2]


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
    main(Path(sys.argv[1]), Path(sys.argv[2]))
