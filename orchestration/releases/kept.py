"""The releases that are kept: where they are, which stands, and what each tells of itself."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.database.sql_text import quoted_name
from orchestration.database.warehouse import (
    Warehouse,
    sync,
    unreadable_told,
)
from orchestration.errors import BuildError

KEPT_RELEASES = 5
PUT_BACK = (
    "`tenure rollback RELEASE` puts another of those that are kept before readers; where none is"
    " whole, remove it, and the next run releases without its history"
)
RELEASES = ("quality", "releases")


@dataclass(frozen=True)
class Release:
    """A release that readers can get, as its own `quality.releases` tells of it."""

    release_id: str
    released_at: datetime
    as_of: datetime
    raw_fingerprint: str
    project_version: str
    parameters: Mapping[str, Any]
    row_counts: Mapping[str, int]


def kept_releases(warehouse: Warehouse) -> list[str]:
    """The ids of the releases that are kept, oldest first."""
    return sorted(path.stem for path in warehouse.releases_dir.glob("[!.]*.duckdb"))


def current_release(warehouse: Warehouse) -> Release | None:
    """The release that readers get now; None before the first."""
    if not warehouse.release_file.exists():
        return None
    return read_release(warehouse.release_file)


def released_since(warehouse: Warehouse, began: datetime) -> Release | None:
    """The release that stands, if it was made since; None too where it can't be read."""
    try:
        current = current_release(warehouse)
    except (BuildError, OSError, duckdb.Error):
        return None
    # a release is told to the second
    since = began.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return current if current and current.released_at >= since else None


def read_release(path: Path) -> Release:
    """What the release in a file tells of itself.

    Raises BuildError where it can't be read.
    """
    with (
        unreadable_told(path, remedy=PUT_BACK),
        duckdb.connect(str(path), read_only=True) as connection,
    ):
        rows = connection.execute(
            "select release_id, released_at, as_of, raw_fingerprint, project_version,"
            f" parameters, row_counts from {quoted_name(*RELEASES)}"
            # its own row was written last, whatever the clock said
            " order by rowid desc limit 1"
        ).fetchall()
    release_id, released_at, as_of, fingerprint, version, parameters, row_counts = rows[0]
    return Release(
        release_id=release_id,
        released_at=released_at,
        as_of=as_of,
        raw_fingerprint=fingerprint,
        project_version=version,
        parameters=json.loads(parameters),
        row_counts=json.loads(row_counts),
    )


def candidate_file(warehouse: Warehouse, release_id: str) -> Path:
    """Where a release is made: in the folder in which it will stand."""
    # in the folder of the release itself: a rename is one step only within a file system
    return warehouse.root / f".release-{release_id}.duckdb"


def kept_file(warehouse: Warehouse, release_id: str) -> Path:
    """Where a release is kept when there are others."""
    return warehouse.releases_dir / f"{release_id}.duckdb"


def parquet_dir(warehouse: Warehouse, release_id: str) -> Path:
    """Where the Parquet copies of a release are."""
    return warehouse.releases_dir / f"{release_id}.parquet"


def link_or_copy(source: Path, target: Path) -> None:
    """Gives a file another name, or a copy of it where the file system knows no second name."""
    try:
        os.link(source, target)
    except OSError:
        # a file system without hard links
        shutil.copyfile(source, target)
        sync(target)
