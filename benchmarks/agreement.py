"""Whether two releases hold the same marts, whatever the order of their rows."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.transform.manifest import MARTS_SCHEMA

# an erased subscriber gets a new random id in every full build; ids of events are made of it
RANDOM_IDS = "(subscriber|event)_id$"


def differing_marts(first: Path, second: Path) -> list[str]:
    """Return the names of the marts of which the two release files don't hold the same rows.

    A mart that only one of them has differs. Ids of subscribers and of events are not compared.
    """
    digests = [_digests(release) for release in (first, second)]
    names = sorted({*digests[0], *digests[1]})
    return [name for name in names if digests[0].get(name) != digests[1].get(name)]


def _digests(release: Path) -> dict[str, tuple[int, int]]:
    """Return, by mart, how many rows it has and the sum of their hashes."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach {quoted_text(str(release))} as release (read_only)")
        columns = connection.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns()"
            " where database_name = 'release' and schema_name = ?"
            " and not regexp_matches(column_name, ?) group by table_name",
            [MARTS_SCHEMA, RANDOM_IDS],
        ).fetchall()
        return {name: _digest(connection, name, names) for name, names in columns}


def _digest(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]
) -> tuple[int, int]:
    row = ", ".join(quoted_name(column) for column in columns)
    relation = quoted_name("release", MARTS_SCHEMA, table)
    rows, total = connection.execute(
        f"select count(*), coalesce(sum(cast(hash({row}) as hugeint)), 0) from {relation}"
    ).fetchall()[0]
    return int(rows), int(total)
