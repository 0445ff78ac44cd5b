"""What a release file holds, and whether that is one whole release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

# what tells of the run itself, or goes on from release to release
BOOKS = frozenset(
    f"quality.{name}"
    for name in ("releases", "check_results", "kpi_restatements", "restatement_causes")
)


@dataclass(frozen=True)
class Content:
    """A release as a reader finds it: what it tells of itself, and what is in it."""

    release_id: str
    as_of: str
    told_rows: dict[str, int]
    rows: dict[str, int]
    hashes: dict[str, str]

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def read(path: Path) -> Content:
    with duckdb.connect(str(path), read_only=True) as connection:
        return held(connection)


def held(connection: duckdb.DuckDBPyConnection) -> Content:
    ((release_id, as_of, told_rows),) = connection.execute(
        "select release_id, as_of, row_counts from quality.releases order by rowid desc limit 1"
    ).fetchall()
    names = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database() order by 1"
    ).fetchall()
    rows, hashes = {}, {}
    for (name,) in names:
        if name not in BOOKS:
            rows[name], hashes[name] = _counted(connection, name)
    return Content(release_id, str(as_of), json.loads(told_rows), rows, hashes)


def _counted(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[int, str]:
    ((rows, hashed),) = connection.execute(
        f"select count(*), coalesce(sum(hash(row_of)), 0)::varchar from {relation} as row_of"
    ).fetchall()
    return int(rows), str(hashed)


def parquet_rows(folder: Path) -> dict[str, int]:
    """Rows of each table in a folder of Parquet copies, the books left out."""
    with duckdb.connect() as connection:
        found = {}
        for path in sorted(folder.glob("*/*.parquet")):
            name = f"{path.parent.name}.{path.stem}"
            if name not in BOOKS:
                ((rows,),) = connection.execute(
                    "select count(*) from read_parquet(?)", [str(path)]
                ).fetchall()
                found[name] = int(rows)
        return found


def faults(found: Content, undisturbed: dict[str, Content]) -> list[str]:
    """Why what a reader found is no whole release; `undisturbed` has what it should be by as_of."""
    told = []
    if found.rows != found.told_rows:
        differing = {
            name: (found.rows.get(name), found.told_rows.get(name))
            for name in {*found.rows, *found.told_rows}
            if found.rows.get(name) != found.told_rows.get(name)
        }
        told.append(f"{found.release_id}: rows found and told differ: {differing}")
    expected = undisturbed.get(found.as_of)
    if expected is None:
        told.append(f"{found.release_id}: a release as of {found.as_of} was never asked for")
    elif found.hashes != expected.hashes:
        tables = sorted(
            name
            for name in {*found.hashes, *expected.hashes}
            if found.hashes.get(name) != expected.hashes.get(name)
        )
        told.append(f"{found.release_id}: not the undisturbed build: {tables}")
    return told
