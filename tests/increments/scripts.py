"""What dbt executes for a full build and for an increment, recorded once and replayed at will.

A build by dbt takes tens of seconds, of which the engine works one: thousands of random services
can only be tried by what dbt makes of the models. That it runs them like this, tests of
`tenure run` show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.project import DbtProject
from orchestration.settings import environment

# what stands on playback, and what says where its rows went
SELECTED = (
    "+viewing_daily",
    "+experience_monthly",
    "+title_performance",
    "+row_reconciliation",
    "+quarantined_rows",
    "+int_viewing__genre_days",
    "+stg_profiles__playback_sessions",
    "+int_churn__window_playbacks",
    "+int_segmentation__profile_windows",
)


@dataclass(frozen=True)
class Scripts:
    """The statements of a full build and of an increment upon one."""

    full: tuple[str, ...]
    increment: tuple[str, ...]


def record(
    project: DbtProject, warehouse: Path, *, adds: bool, variables: str, target: Path
) -> tuple[str, ...]:
    """Builds the models in `warehouse`, where the raw views lie, and returns what was executed."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    statements: list[str] = []

    def note(message: Any) -> None:  # noqa: ANN401
        if message.info.name == "SQLQuery":
            statements.append(str(message.data.sql))

    arguments = [
        "build",
        *("--project-dir", str(project.root), "--profiles-dir", str(project.root)),
        *("--target-path", str(target), "--log-path", str(target), "--threads", "1", "--quiet"),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        *("--vars", variables, "--select", *SELECTED),
    ]
    try:
        with environment(TENURE_WAREHOUSE=str(warehouse), TENURE_INCREMENT="yes" if adds else "no"):
            result = dbtRunner(callbacks=[note]).invoke(arguments)
    finally:
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert result.success, [
        (node.node.name, node.message)
        for node in getattr(result.result, "results", None) or []
        if node.status not in ("success", "skipped", "no-op")
    ]
    return tuple(statement for statement in statements if _is_work(statement))


def _is_work(statement: str) -> bool:
    """Whether a statement changes something: dbt looks at the catalog a lot."""
    told = "\n".join(
        line for line in statement.splitlines() if not line.strip().startswith(("/*", "--"))
    ).lower()
    return any(
        word in told
        for word in ("create ", "insert ", "delete ", "drop ", "alter ", "set variable", "comment ")
    )


def replay(connection: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    """Executes what was recorded on another database of the same name."""
    for statement in statements:
        # a connection of dbt's ends with its node, and its temporary tables with it
        connection.execute(statement.replace("create temporary", "create or replace temporary"))
