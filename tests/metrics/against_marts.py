"""What every metric says of a built service, held against its mart's own column by plain SQL."""

from collections.abc import Mapping
from typing import Any

import duckdb

from orchestration.database.warehouse import Warehouse
from orchestration.metrics.catalogue import Metric, MetricMart, metric_marts
from orchestration.metrics.queries import SEMANTIC_MANIFEST, MetricLayer, ask
from orchestration.transform.manifest import Manifest

# of a mart with rows of more than one kind, those that its metrics are made of
KINDS = {"engagement_monthly": "stratum = 'overall'"}

Figures = dict[tuple[Any, ...], float]


def differences(place: Warehouse) -> tuple[list[str], int]:
    """What differs, a line each, and how many figures were held against each other.

    At the mart's own grain. What a metric's filter leaves out, as an open month, is missing; a
    figure that is there must be the mart's own.
    """
    layer = MetricLayer(place.dbt_dir / SEMANTIC_MANIFEST)
    manifest = Manifest.read(place.dbt_dir / "manifest.json")
    columns = {node["alias"]: node["columns"] for node in manifest.models()}
    differing, compared = [], 0
    for mart in metric_marts(manifest):
        own = [name for name in mart.group_by if _column(name) in columns[mart.name]]
        by = [name for name in own if _column(name) != "is_complete"]
        for metric in mart.metrics:
            if metric.column and metric.unit:
                told = _told(place, layer, metric, ["metric_time__month", *by])
                held = _held(place, mart, metric.column, [_column(name) for name in by])
                compared += len(told)
                is_whole = (
                    manifest.content["metrics"][f"metric.tenure.{metric.name}"]["filter"] is None
                )
                differing += _differing(metric, told, held, is_whole=is_whole)
    return differing, compared


def _differing(metric: Metric, told: Figures, held: Figures, *, is_whole: bool) -> list[str]:
    lines = [] if told else [f"{metric.name}: no figure"]
    for key, value in told.items():
        # the mart's amounts per subscriber are rounded to four places
        if key not in held or abs(value - held[key]) > max(1e-9 * abs(value), 5.1e-5):
            lines.append(f"{metric.name} {key}: {value}, the mart has {held.get(key)}")
    if is_whole and told.keys() != held.keys():
        lines.append(f"{metric.name}: {sorted(held.keys() - told.keys())} are missing")
    return lines


def _told(place: Warehouse, layer: MetricLayer, metric: Metric, by: list[str]) -> Figures:
    answer = ask(place.release_file, layer, [metric.name], by=by)
    return _figures({(row[0].date(), *row[1:-1]): row[-1] for row in answer.rows})


def _held(place: Warehouse, mart: MetricMart, column: str, by: list[str]) -> Figures:
    keys = ", ".join([mart.time_dimension, *by])
    rows = plain(
        place,
        f"select {keys}, {column} from marts.{mart.name} where {KINDS.get(mart.name, 'true')}",
    )
    return _figures({row[:-1]: row[-1] for row in rows})


def plain(place: Warehouse, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on the release."""
    with duckdb.connect(str(place.release_file), read_only=True) as release:
        return release.execute(query).fetchall()


def _figures(values: Mapping[tuple[Any, ...], Any]) -> Figures:
    return {key: float(value) for key, value in values.items() if value is not None}


def _column(group_by: str) -> str:
    return group_by.rpartition("__")[2]
