"""The whole way on one engine and on the other, and the two releases side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration import refresh_job
from orchestration.database.sql_text import quoted_text
from orchestration.database.warehouse import Warehouse
from orchestration.progress import LineReporter
from orchestration.releases.kept import current_release
from orchestration.settings import RunRequest, Settings
from orchestration.transform.manifest import Manifest
from tests.spark.parity import Sides

# of so few rows a few bad ones are many; the zone has nights of 23 and of 25 hours
VARIABLES: Mapping[str, object] = {
    "max_quarantined_share": 0.5,
    "reporting_timezone": "America/New_York",
}


def run(raw: Path, place: Warehouse, target: str, *, full_refresh: bool = False) -> Path:
    """Runs the whole way and returns the release, as it is kept."""
    settings = Settings(raw=raw, warehouse=place.root, target=target)
    request = RunRequest(settings, variables=json.dumps(VARIABLES), full_refresh=full_refresh)
    refresh_job.run(request, LineReporter(Console(stderr=True)))
    return kept_release(place)


def command(
    raw: Path,
    place: Warehouse,
    target: str,
    *more: str,
    variables: Mapping[str, object] = VARIABLES,
) -> list[str]:
    """The same by the command line, for a process of its own."""
    start = [str(Path(sys.executable).with_name("tenure")), "run", "--target", target]
    folders = ["--raw", str(raw), "--warehouse", str(place.root)]
    return [*start, *folders, "--vars", json.dumps(variables), *more]


def kept_release(place: Warehouse) -> Path:
    """The last release, as it is kept when there are others."""
    released = current_release(place)
    assert released
    return place.releases_dir / f"{released.release_id}.duckdb"


def deliver(whole: Path, raw: Path, name: str, arrived: str) -> None:
    """Adds to the raw folder what of a whole service arrived then."""
    for folder in sorted(path for path in whole.iterdir() if path.is_dir()):
        (raw / folder.name).mkdir(parents=True, exist_ok=True)
        duckdb.sql(
            f"copy (from read_parquet('{folder}/*.parquet', union_by_name = true) where {arrived})"
            f" to '{raw / folder.name / name}.parquet'"
        )


@contextmanager
def sides(embedded: Path, on_spark: Path) -> Iterator[Sides]:
    """Two databases, each a release or a build, in one connection."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        # views in a build know it by this name
        connection.execute(f"attach {quoted_text(str(embedded))} as build (read_only)")
        connection.execute(f"attach {quoted_text(str(on_spark))} as spark (read_only)")
        yield Sides(connection, "build", "spark")


def differences(both: Sides, manifest: Manifest, raw: Path) -> list[str]:
    """What tells the two apart in any of the released tables."""
    # requests of erasure name ids that no table has any more
    tables = quoted_text(str(raw / "[!e]*" / "*.parquet"))
    return both.differences(
        [(table.schema, table.name) for table in manifest.released_tables()],
        f"select subscriber_id from read_parquet({tables}, union_by_name = true)"
        " where subscriber_id is not null",
    )
