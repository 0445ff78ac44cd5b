"""Metrics of a release: MetricFlow writes the SQL, and DuckDB answers it from the released file.

What belongs here: how a metric is asked for. What does not: what it means; that is in the YAML
beside its mart. Nothing of a run comes here.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import duckdb
from rich.console import Console
from rich.table import Column, Table

from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.warehouse import Warehouse, unreadable_told
from orchestration.errors import DamagedError, Fault, InputError
from orchestration.metrics.catalogue import metric_marts
from orchestration.releases.kept import PUT_BACK
from orchestration.transform.manifest import MADE_ANEW, Manifest

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine

SEMANTIC_MANIFEST = "semantic_manifest.json"

# MetricFlow tells where in its own code a condition was found to be none
STACK = re.compile(
    r"^( *)Traceback \(most recent call last\):\n(?:\1 +.*\n)+"
    r"|^ *The above exception was the direct cause of the following exception:\n\s*?\n",
    re.MULTILINE,
)

# the name under which the database of a release is asked
RELEASE = "release"


@dataclass(frozen=True)
class Answer:
    """Column names, the group-by first, and rows in their order."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class MetricLayer:
    """The metrics of a parsed project; `path` is the semantic manifest that dbt wrote."""

    path: Path

    def sql(
        self, metrics: Sequence[str], *, by: Sequence[str] = (), where: Sequence[str] = ()
    ) -> str:
        """The query for `metrics` by dimensions and entities, ordered by them.

        `where` are conditions in MetricFlow's words: `{{ Entity('plan_tier') }} = 'basic'`. Raises
        InputError where there is no such metric or it can't be asked so.
        """
        from metricflow.engine.metricflow_engine import (
            MetricFlowQueryRequest,
            OutputColumnOrderMode,
        )
        from metricflow_semantics.errors.error_classes import InformativeUserError

        request = MetricFlowQueryRequest.create(
            metric_names=list(metrics),
            group_by_names=list(by),
            where_constraints=list(where) or None,
            order_by_names=list(by),
            output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
        )
        try:
            return self._engine.explain(request).sql_statement.sql
        except InformativeUserError as error:
            raise InputError.from_text(STACK.sub("", str(error))) from error

    @cached_property
    def _semantic_manifest(self) -> Any:  # noqa: ANN401  # MetricFlow's own type of it is private
        from metricflow_semantics.model.dbt_manifest_parser import (
            parse_manifest_from_dbt_generated_manifest,
        )

        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DamagedError(f"{self.path} is damaged: {MADE_ANEW}") from error
        time_spines = document["project_configuration"]["time_spines"]
        for placed in (*document["semantic_models"], *time_spines):
            # whoever asks has a release open, which is another database than the build's
            relation = placed["node_relation"]
            relation["relation_name"] = quoted_name(relation["schema_name"], relation["alias"])
        return parse_manifest_from_dbt_generated_manifest(json.dumps(document))

    @cached_property
    def _engine(self) -> "MetricFlowEngine":
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.protocols.sql_client import SqlClient
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        # it is asked for SQL only, and so never for a connection
        dialect = cast("SqlClient", _Dialect())
        return MetricFlowEngine(SemanticManifestLookup(self._semantic_manifest), dialect)


class _Dialect:
    """What MetricFlow has to know of a database in order to write SQL for it."""

    def __init__(self) -> None:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer

        self.sql_engine_type = SqlEngine.DUCKDB
        self.sql_plan_renderer = DuckDbSqlPlanRenderer()


def ask(
    release_file: Path,
    layer: MetricLayer,
    metrics: Sequence[str],
    *,
    by: Sequence[str] = (),
    where: Sequence[str] = (),
) -> Answer:
    """The metrics of a released file, which is opened read-only; raises as `MetricLayer.sql`."""
    query = layer.sql(metrics, by=by, where=where)
    with duckdb.connect() as connection:
        place = quoted_text(str(release_file))
        with unreadable_told(release_file, remedy=PUT_BACK):
            connection.execute(f"attach {place} as {RELEASE} (read_only)")
        connection.execute(f"use {RELEASE}")
        try:
            found = connection.execute(query)
        except (duckdb.ProgrammingError, duckdb.DataError) as error:
            # a condition of the asker's makes it so, or a mart that an older release lacks
            raise InputError.from_text(f"the database can't answer that: {error}") from error
        columns = tuple(column[0] for column in found.description or ())
        return Answer(columns, found.fetchall())


def print_metrics(
    console: Console,
    place: Warehouse,
    metrics: Sequence[str],
    *,
    by: Sequence[str],
    where: Sequence[str],
    only_sql: bool,
) -> None:
    """Prints the metrics of the release that stands, or which there are where none is named.

    With `only_sql` prints the query. Raises InputError where there is no release yet.
    """
    layer = MetricLayer(place.dbt_dir / SEMANTIC_MANIFEST)
    if not (place.release_file.exists() and layer.path.exists()):
        missing = layer.path.name if place.release_file.exists() else "release"
        advice = "Build one first: tenure run --raw DIR --warehouse DIR"
        raise InputError((Fault(f"there is no {missing} in {place.root}", advice),))
    if not metrics and (by or where or only_sql):
        advice = "Name one; `tenure metrics` alone lists them"
        raise InputError((Fault("no metric is named", advice),))
    if not metrics:
        _print_catalogue(console, Manifest.read(place.dbt_dir / "manifest.json"))
    elif only_sql:
        query = layer.sql(metrics, by=by, where=where)
        console.print(query, markup=False, highlight=False, soft_wrap=True)
    else:
        _print_answer(console, ask(place.release_file, layer, metrics, by=by, where=where))


def _print_catalogue(console: Console, manifest: Manifest) -> None:
    table = Table(Column("metric", no_wrap=True), "label", "unit", "by", box=None)
    for mart in metric_marts(manifest):
        for metric in mart.metrics:
            if metric.unit:
                table.add_row(metric.name, metric.label, metric.unit, ", ".join(mart.group_by))
    console.print(table)


def _print_answer(console: Console, answer: Answer) -> None:
    table = Table(*answer.columns, box=None)
    for row in answer.rows:
        table.add_row(*map(_as_text, row))
    console.print(table, markup=False, highlight=False)


def _as_text(value: Any) -> str:  # noqa: ANN401  # whatever a column holds
    if value is None:
        return ""
    if hasattr(value, "date"):
        return str(value.date())
    if isinstance(value, float | Decimal):
        return f"{value:.4f}"
    return str(value)
