"""dbt in this process, on the project of this checkout, which is parsed once.

Even where nothing has changed, a parse takes longer than the engine works for a small service. What
dbt reads out of the project hangs on no variable and on no warehouse: those are asked for when a
model is compiled, and a test holds that. That a run parses by itself, runs of other projects show.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.database.warehouse import Warehouse
from orchestration.metrics.queries import SEMANTIC_MANIFEST
from orchestration.settings import PROJECT_DIR, environment
from orchestration.transform.dbt_events import only_heard_events
from orchestration.transform.dbt_shortcuts import quick_contexts, quick_results
from orchestration.transform.parameters import Parameters, check_parameters
from orchestration.transform.project import DbtProject, ParsedProject

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult


EMBEDDED = "embedded"
"""The target of the profile that is taken where none is named."""

SAME_PARSE = {"thrift": "spark"}
"""Targets that only differ in the way to the engine, of which a parse knows nothing."""

WRITTEN = ("manifest.json", SEMANTIC_MANIFEST)
"""What dbt writes of a parse that others read."""

_parse = DbtProject.parse


@cache
def _parsed(target: str) -> tuple[ParsedProject, Mapping[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        place = Warehouse(Path(folder))
        place.prepare()
        project = DbtProject(PROJECT_DIR, target)
        parsed = _parse(project, place, check_parameters(PROJECT_DIR).parameters)
        return parsed, {name: (place.dbt_dir / name).read_bytes() for name in WRITTEN}


def parsed_once(target: str = EMBEDDED) -> ParsedProject:
    """The project, parsed with its own vars for an engine."""
    return _parsed(target)[0]


def parse_once(project: DbtProject, warehouse: Warehouse, parameters: Parameters) -> ParsedProject:
    """Stands in for `DbtProject.parse`: another project it parses as ever."""
    if project.root != PROJECT_DIR:
        return _parse(project, warehouse, parameters)
    target = project.target or EMBEDDED
    target = SAME_PARSE.get(target, target)
    write_parse(warehouse, target)
    return replace(parsed_once(target), project=project)


def write_parse(warehouse: Warehouse, target: str = EMBEDDED) -> None:
    """Writes what dbt would have written of the parse."""
    _, written = _parsed(target)
    for name, content in written.items():
        (warehouse.dbt_dir / name).write_bytes(content)


def invoke_dbt(
    arguments: Sequence[str],
    warehouse: Path,
    *,
    target: Path,
    env: Mapping[str, str] | None = None,
    on_sql: Callable[[str], None] | None = None,
) -> dbtRunnerResult:
    """What comes of a command of dbt's on `warehouse`; what it compiles is in `target`.

    `on_sql` is given each statement before it is executed.
    """
    # both take seconds to import, which only who builds something should wait for
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    given = [
        *arguments,
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        *("--target-path", str(target), "--log-path", str(target)),
        *("--log-level", "none", "--log-level-file", "none"),
    ]

    def pass_on(message: Any) -> None:  # noqa: ANN401
        if on_sql and message.info.name == "SQLQuery":
            on_sql(str(message.data.sql))

    runner = dbtRunner(manifest=parsed_once().parsed, callbacks=[pass_on])
    try:
        with (
            environment(TENURE_WAREHOUSE=str(warehouse), **(env or {})),
            nullcontext() if on_sql else only_heard_events(),
            quick_contexts(),
            quick_results(),
        ):
            return runner.invoke(given)
    finally:
        # dbt's adapters come without types
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def what_failed(result: dbtRunnerResult) -> str:
    """What dbt says of each node that did not go well; nothing where all did."""
    if result.success:
        return ""
    done: Any = result.result
    said = [
        f"{each.node.name}: {each.message}"
        for each in getattr(done, "results", None) or []
        if each.status not in ("success", "skipped", "no-op", "pass", "warn")
    ]
    return "\n".join(said) or str(result.exception)
