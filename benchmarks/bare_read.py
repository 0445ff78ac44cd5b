"""`python -m benchmarks.bare_read RAW`: every column of every raw file, decoded once.

Nothing that looks at all raw data can cost less on this machine: what a build costs is told as a
multiple of it. Engine, threads and memory are those of the build.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from orchestration.database.sql_text import exact_path, quoted_text


def read_all(raw: Path) -> dict[str, int]:
    """Read all Parquet files of the folder and return how many values each table has.

    A value is a column of a row that is not null; to count them, all have to be decoded. Extremes
    or hashes would add work of their own, and a count of rows would read no column.
    """
    values = {}
    with duckdb.connect(":memory:", config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("set enable_progress_bar = false")
        for folder in sorted(raw.iterdir()):
            if any(folder.glob("*.parquet")):
                files = quoted_text(f"{exact_path(folder)}/*.parquet")
                counts = connection.execute(
                    "select count(columns(*))"
                    f" from read_parquet({files}, hive_partitioning = false)"
                ).fetchall()[0]
                values[folder.name] = sum(map(int, counts))
    return values


if __name__ == "__main__":
    read_all(Path(sys.argv[1]))
