"""Metrics of the semantic layer as SQL expressions that Superset keeps with a dataset.

What belongs here: how MetricFlow's words become one aggregate over a mart. What does not: what a
metric means, which the YAML beside its mart says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestration.transform.manifest import Manifest

# how MetricFlow names a column in a filter: {{ Dimension('entity__column') }}
DIMENSION = re.compile(r"\{\{\s*Dimension\('(\w+?)__(\w+)'\)\s*\}\}")

AGGREGATES = {"sum": "SUM", "average": "AVG", "min": "MIN", "max": "MAX"}
WINDOWS = {"min": "MIN", "max": "MAX"}


@dataclass(frozen=True)
class MetricExpressions:
    """SQL for the metrics of a project, in DuckDB's dialect.

    An expression is right at any grain that a chart groups by: a rate is a sum over a sum, and a
    level that does not add up over time is that of the group's first or last month.
    """

    manifest: Manifest

    def of(self, metric: str) -> str:
        """The aggregate of a metric; KeyError for an unknown one.

        Raises ValueError for a metric of a kind that no single aggregate can tell: cumulative and
        conversion metrics, offsets in time, gaps filled from the time spine.
        """
        return self._expression(metric, ())

    @cached_property
    def _metrics(self) -> Mapping[str, Mapping[str, Any]]:
        return {metric["name"]: metric for metric in self.manifest.content["metrics"].values()}

    @cached_property
    def _measures(self) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
        return {
            measure["name"]: (measure, model)
            for model in self.manifest.content["semantic_models"].values()
            for measure in model["measures"]
        }

    def _expression(self, name: str, outer: Sequence[str]) -> str:
        metric = self._metrics[name]
        parameters = metric["type_params"]
        filters = (*outer, *_templates(metric))
        if metric["type"] == "simple":
            return self._measure(name, parameters["measure"], filters)
        if metric["type"] == "ratio":
            above = self._input(name, parameters["numerator"], filters)
            below = self._input(name, parameters["denominator"], filters)
            return f"CAST({above} AS DOUBLE) / NULLIF({below}, 0)"
        if metric["type"] == "derived":
            inputs = {
                each["alias"] or each["name"]: f"({self._input(name, each, filters)})"
                for each in parameters["metrics"]
            }
            return re.sub(r"\b[a-z_]\w*\b", lambda word: inputs[word[0]], parameters["expr"])
        raise ValueError(f"metric {name}: a {metric['type']} metric is no single aggregate")

    def _input(self, metric: str, reference: Mapping[str, Any], filters: Sequence[str]) -> str:
        if reference["offset_window"] or reference["offset_to_grain"]:
            raise ValueError(f"metric {metric}: {reference['name']} of another time")
        return self._expression(reference["name"], (*filters, *_templates(reference)))

    def _measure(self, metric: str, reference: Mapping[str, Any], filters: Sequence[str]) -> str:
        if reference["join_to_timespine"] or reference["fill_nulls_with"] is not None:
            raise ValueError(f"metric {metric}: gaps that are filled from the time spine")
        measure, model = self._measures[reference["name"]]
        if measure["agg"] not in AGGREGATES:
            raise ValueError(f"metric {metric}: the aggregate {measure['agg']}")
        filters = (*filters, *_templates(reference))
        condition = " AND ".join(f"({_condition(metric, each, model)})" for each in filters)
        only = f" FILTER (WHERE {condition})" if condition else ""
        column = measure["expr"].strip() if measure["expr"] else measure["name"]
        window = measure["non_additive_dimension"]
        if not window:
            return f"{AGGREGATES[measure['agg']]}({column}){only}"
        if measure["agg"] != "sum" or window["window_groupings"]:
            raise ValueError(f"metric {metric}: {measure['name']} is no sum of one moment")
        # an aggregate can't hold another, and Superset knows the groups only when it is asked
        moment = window["name"]
        edge = f"{WINDOWS[window['window_choice']]}({moment}){only}"
        rows = f"LIST({{'at': {moment}, 'value': {column}}}){only}"
        return f"LIST_SUM([each.value FOR each IN {rows} IF each.at = ({edge})])"


def _templates(holder: Mapping[str, Any]) -> tuple[str, ...]:
    if not holder["filter"]:
        return ()
    return tuple(each["where_sql_template"] for each in holder["filter"]["where_filters"])


def _condition(metric: str, template: str, model: Mapping[str, Any]) -> str:
    dimensions = {each["name"]: each["expr"] or each["name"] for each in model["dimensions"]}

    def column(found: re.Match[str]) -> str:
        entity, name = found.groups()
        if entity != model["primary_entity"] or name not in dimensions:
            raise ValueError(f"metric {metric}: no dimension {found[0]} in {model['name']}")
        # what is put together from columns must not fall apart among the words around it
        return name if dimensions[name] == name else f"({dimensions[name]})"

    condition = DIMENSION.sub(column, template).strip()
    if "{{" in condition:
        raise ValueError(f"metric {metric}: a filter that is no dimension of its mart: {template}")
    return condition
