"""What dbt executes, recorded once and replayed at will.

A build by dbt takes tens of seconds, of which the engine works one or two: many services can only
be tried by what dbt makes of the models. That it runs them like this, tests of `tenure run` show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.database.sql_text import quoted_text
from tests.one_parse import invoke_dbt, what_failed


@dataclass(frozen=True)
class DataTest:
    """A data test that stops a build, as a query of how many rows fail it."""

    name: str
    query: str


@dataclass(frozen=True)
class Recording:
    """The statements that make the models, in their order, and the tests of what they made."""

    statements: tuple[str, ...]
    tests: tuple[DataTest, ...]


def record(
    warehouse: Path,
    *,
    target: Path,
    variables: str,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    adds: bool = False,
    has_tests: bool = False,
) -> Recording:
    """Builds the models where raw views and seeds lie, and returns what was executed.

    The fewer rows there are, the sooner: no statement depends on one. Seeds are left out, whose
    rows dbt does not tell.
    """
    statements: list[str] = []
    arguments = [
        *("build", "--threads", "1", "--vars", variables),
        *("--exclude-resource-type", "unit_test", "--exclude-resource-type", "seed"),
        *(() if has_tests else ("--exclude-resource-type", "test")),
        *(("--select", *select) if select else ()),
        *(("--exclude", *exclude) if exclude else ()),
    ]
    env = {"TENURE_INCREMENT": "yes" if adds else "no"}
    result = invoke_dbt(arguments, warehouse, target=target, env=env, on_sql=statements.append)
    assert result.success, what_failed(result)
    done: Any = result.result
    return Recording(
        tuple(statement for statement in statements if _is_work(statement)),
        tuple(_tests(each.node for each in done.results)),
    )


def _tests(nodes: Iterable[Any]) -> Iterable[DataTest]:
    for node in nodes:
        if str(node.resource_type) == "test" and node.config.severity.lower() == "error":
            # none asks for more than that no row fails
            assert node.config.error_if == "!= 0", node.name
            query = f"select {node.config.fail_calc} from ({node.compiled_code}) as failing"
            yield DataTest(node.name, query)


def _is_work(statement: str) -> bool:
    """Whether a statement changes something: dbt looks at the catalog a lot."""
    told = "\n".join(
        line for line in statement.splitlines() if not line.strip().startswith(("/*", "--"))
    ).lower()
    return any(
        word in told
        for word in (
            *("create ", "insert ", "delete ", "drop ", "alter ", "set variable", "comment "),
        )
    )


def replay(connection: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    """Executes what was recorded on another database of the same name."""
    for statement in statements:
        # a connection of dbt's ends with its node, and its temporary tables with it
        connection.execute(statement.replace("create temporary", "create or replace temporary"))


def copy_seeds(connection: duckdb.DuckDBPyConnection, seeded: Path) -> None:
    """Copies the seeds of another database, which nobody has open."""
    connection.execute(f"attach {quoted_text(str(seeded))} as seeded (read_only)")
    connection.execute("create schema if not exists reference")
    seeds = connection.execute(
        "select table_name from duckdb_tables()"
        " where database_name = 'seeded' and schema_name = 'reference'"
    ).fetchall()
    for (name,) in seeds:
        connection.execute(f"create table reference.{name} as from seeded.reference.{name}")
    connection.execute("detach seeded")


def failing(
    connection: duckdb.DuckDBPyConnection, tests: Sequence[DataTest]
) -> list[tuple[str, int]]:
    """The names of the tests that fail on what was made, each with how many rows fail it."""
    counted = ((test.name, connection.execute(test.query).fetchone()) for test in tests)
    return [(name, count[0]) for name, count in counted if count and count[0]]
