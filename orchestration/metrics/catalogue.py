"""The metrics of the semantic layer, as dbt's manifest has them: each with its mart and column.

What belongs here: what there is to ask for. What does not: a metric's definition, which stands in
the YAML beside its mart, or an answer, which `queries` gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.transform.manifest import Manifest


@dataclass(frozen=True)
class Metric:
    """A metric; what it stands in and what it is made of.

    `column` is the mart's own column of the same figure, None where it has none. `unit` is None in
    a metric that is only there for others to be made of. `kind` is MetricFlow's word, `inputs` are
    the metrics that it is made of, `place` is its own among those of the mart.
    """

    name: str
    label: str
    description: str
    kind: str
    mart: str
    column: str | None
    unit: str | None
    inputs: tuple[str, ...]
    place: tuple[int, str, int]


@dataclass(frozen=True)
class MetricMart:
    """A mart that metrics are made of: in the order of its columns, and what they are asked by."""

    name: str
    description: str
    time_dimension: str
    group_by: tuple[str, ...]
    metrics: tuple[Metric, ...]


def metric_marts(manifest: Manifest) -> tuple[MetricMart, ...]:
    """The marts with metrics, by folder and name, each with its metrics."""
    models = manifest.content.get("semantic_models", {}).values()
    metrics = manifest.content.get("metrics", {})
    return tuple(
        MetricMart(
            name=model["node_relation"]["alias"],
            description=model["description"],
            time_dimension=model["defaults"]["agg_time_dimension"],
            group_by=tuple(_group_by(model)),
            metrics=tuple(
                sorted(_metrics_of(manifest, model, metrics), key=lambda each: each.place)
            ),
        )
        for model in sorted(models, key=lambda model: model["path"])
    )


def _group_by(model: Mapping[str, Any]) -> Iterator[str]:
    for entity in model["entities"]:
        yield entity["name"]
    for dimension in model["dimensions"]:
        if dimension["type"] == "categorical":
            yield f"{model['primary_entity']}__{dimension['name']}"


def _metrics_of(
    manifest: Manifest, model: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]
) -> Iterator[Metric]:
    columns = list(manifest.node(model["depends_on"]["nodes"][0])["columns"])
    measures = {each["name"]: each["expr"] or each["name"] for each in model["measures"]}
    for metric in metrics.values():
        parameters = metric["type_params"]
        sources = [each["name"] for each in parameters["input_measures"]]
        if sources[0] not in measures:
            continue
        meta = metric["config"].get("meta", {})
        column = meta.get("column")
        if column is None and metric["type"] == "simple" and measures[sources[0]] in columns:
            column = measures[sources[0]]
        position = columns.index(column) if column in columns else len(columns)
        yield Metric(
            name=metric["name"],
            label=metric["label"],
            description=metric["description"].strip(),
            kind=metric["type"],
            mart=model["node_relation"]["alias"],
            column=column,
            unit=meta.get("unit"),
            inputs=tuple(_inputs(parameters)),
            place=(position, *_name_and_number(metric["name"])),
        )


def _inputs(parameters: Mapping[str, Any]) -> Iterator[str]:
    for role in ("numerator", "denominator"):
        if parameters[role]:
            yield parameters[role]["name"]
    for each in parameters["metrics"] or ():
        yield each["name"]


def _name_and_number(name: str) -> tuple[str, int]:
    stem, _, end = name.rpartition("_")
    return (stem, int(end)) if end.isdigit() else (name, 0)
