"""The charts and the dashboard that `dashboard.yml` describes, as Superset imports them.

What belongs here: how a chart of ours becomes Superset's form and the query that it sends. What
does not: which charts there are.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.superset.datasets import VERSION, Asset, asset_uuid, is_time
from dashboard.superset.metric_sql import MetricExpressions
from orchestration.metrics.catalogue import metric_marts
from orchestration.transform.manifest import MARTS_SCHEMA, Manifest

GRID_WIDTH = 12
CHART_LIMIT = 10_000
MONTHS = "P1M"
MONTH_FORMAT = "%b %Y"

# what each kind of chart has to be told beside its data
FORMS: Mapping[str, Mapping[str, Any]] = {
    "big_number": {
        "show_trend_line": True,
        "start_y_axis_at_zero": True,
        "time_format": MONTH_FORMAT,
        # against the month before
        "compare_lag": 1,
        "compare_suffix": "on the month before",
    },
    "echarts_timeseries_bar": {
        "orientation": "vertical",
        "x_axis_time_format": MONTH_FORMAT,
        "show_legend": True,
        "rich_tooltip": True,
        "tooltipTimeFormat": MONTH_FORMAT,
    },
    "echarts_timeseries_line": {
        "seriesType": "line",
        "markerEnabled": True,
        "x_axis_time_format": MONTH_FORMAT,
        "show_legend": True,
        "rich_tooltip": True,
        "tooltipTimeFormat": MONTH_FORMAT,
    },
    "heatmap_v2": {
        "linear_color_scheme": "schemeBlues",
        "normalize_across": "heatmap",
        "show_legend": True,
        "show_percentage": False,
        # of three years of cohorts they could not be read
        "show_values": False,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",
        "xscale_interval": -1,
        "yscale_interval": -1,
        "bottom_margin": 50,
        "left_margin": 75,
    },
    "table": {"query_mode": "aggregate", "order_desc": True, "show_cell_bars": True},
}


@dataclass(frozen=True)
class Chart:
    """A chart as `dashboard.yml` has it: what it shows, of which mart, and how wide.

    `axis` is the column along its x axis, by month where it is a time; None where it has no axis.
    """

    title: str
    description: str
    viz: str
    mart: str
    axis: str | None
    is_time_axis: bool
    by: Sequence[str | Mapping[str, str]]
    metrics: Sequence[str | Mapping[str, Any]]
    where: str | None
    number_format: str | None
    limit: int
    options: Mapping[str, Any]
    width: int


@dataclass(frozen=True)
class Row:
    """Charts side by side under a heading; the height in Superset's rows of 8 pixels."""

    title: str
    height: int
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Project:
    """What there is to draw: the marts' columns and the metrics, by mart."""

    columns: Mapping[str, Mapping[str, Mapping[str, Any]]]
    metrics: Mapping[str, frozenset[str]]
    expressions: MetricExpressions

    @classmethod
    def of(cls, manifest: Manifest) -> "Project":
        """The marts and metrics of a manifest."""
        return cls(
            columns={
                node["alias"]: node["columns"]
                for node in manifest.models()
                if node["schema"] == MARTS_SCHEMA
            },
            metrics={
                mart.name: frozenset(metric.name for metric in mart.metrics)
                for mart in metric_marts(manifest)
            },
            expressions=MetricExpressions(manifest),
        )


def charts_and_dashboard(manifest: Manifest, page: Mapping[str, Any]) -> dict[Path, Asset]:
    """The files of all charts and of the dashboard, by place among the assets.

    `page` is what `dashboard.yml` says. Raises ValueError for a mart, column or metric that the
    dbt project does not have, and for two charts of one title.
    """
    project = Project.of(manifest)
    rows = [_row(project, each) for each in page["rows"]]
    titles = [chart.title for row in rows for chart in row.charts]
    if len(set(titles)) < len(titles):
        raise ValueError("two charts have one title, by which they are told apart")
    files = {
        Path("charts", f"{_stem(chart.title)}.yaml"): _chart_asset(project, chart)
        for row in rows
        for chart in row.charts
    }
    files[Path("dashboards", f"{page['slug']}.yaml")] = _dashboard(project, page, rows)
    return files


def _row(project: Project, row: Mapping[str, Any]) -> Row:
    width = GRID_WIDTH // len(row["charts"])
    return Row(
        row["title"],
        row["height"],
        tuple(_chart(project, each, width=width) for each in row["charts"]),
    )


def _chart(project: Project, chart: Mapping[str, Any], *, width: int) -> Chart:
    columns = project.columns.get(chart["mart"])
    if columns is None:
        raise ValueError(f"chart {chart['title']}: no mart {chart['mart']}")
    if chart["viz"] not in FORMS:
        raise ValueError(f"chart {chart['title']}: no form for {chart['viz']}")
    own = [each for each in chart["metrics"] if not isinstance(each, str)]
    axis = chart.get("time") or chart.get("x")
    drawn = [
        *([axis] if axis else []),
        *(each for each in chart.get("by", ()) if isinstance(each, str)),
        *(each["sum"] for each in own if "sum" in each),
    ]
    asked = [
        *(each for each in chart["metrics"] if isinstance(each, str)),
        *(name for each in own for name in each.get("ratio", ())),
    ]
    known = project.metrics.get(chart["mart"], frozenset())
    unknown = [each for each in drawn if each not in columns]
    unknown += [each for each in asked if each not in known]
    if unknown:
        raise ValueError(f"chart {chart['title']}: {chart['mart']} has no {', '.join(unknown)}")
    if "time" in chart and not is_time(columns[chart["time"]]):
        raise ValueError(f"chart {chart['title']}: {chart['time']} is no time")
    return Chart(
        title=chart["title"],
        description=chart["description"].strip(),
        viz=chart["viz"],
        mart=chart["mart"],
        axis=axis,
        is_time_axis="time" in chart,
        by=chart.get("by", ()),
        metrics=chart["metrics"],
        where=chart.get("where"),
        number_format=chart.get("format"),
        limit=chart.get("limit", CHART_LIMIT),
        options=chart.get("options", {}),
        width=chart.get("width", width),
    )


def _chart_asset(project: Project, chart: Chart) -> Asset:
    metrics = [_metric(project, each) for each in chart.metrics]
    form = _form(chart, metrics)
    return {
        "slice_name": chart.title,
        "description": chart.description,
        "viz_type": chart.viz,
        "params": form,
        # what reports and the API ask with, where no browser puts the query together
        "query_context": json.dumps(_query_context(chart, metrics, form), sort_keys=True),
        "uuid": str(asset_uuid("chart", chart.title)),
        "dataset_uuid": str(asset_uuid("dataset", chart.mart)),
        "version": VERSION,
    }


def _metric(project: Project, metric: str | Mapping[str, Any]) -> str | Asset:
    if isinstance(metric, str):
        return metric
    if "sum" in metric:
        expression = f"SUM({metric['sum']})"
    else:
        above, below = (project.expressions.of(name) for name in metric["ratio"])
        expression = f"CAST({above} AS DOUBLE) / NULLIF({below}, 0)"
    return {
        "expressionType": "SQL",
        "sqlExpression": expression,
        "label": metric["label"],
        "hasCustomLabel": True,
        "optionName": f"metric_{_stem(metric['label'])}",
    }


def _form(chart: Chart, metrics: Sequence[str | Asset]) -> Asset:
    by = [_column(each) for each in chart.by]
    form: Asset = {
        "viz_type": chart.viz,
        "adhoc_filters": list(_form_filters(chart)),
        "row_limit": chart.limit,
        **FORMS[chart.viz],
        **chart.options,
    }
    if chart.viz in {"big_number", "heatmap_v2"}:
        form["metric"] = metrics[0]
    else:
        form["metrics"] = list(metrics)
    if chart.viz == "heatmap_v2":
        form["groupby"] = by[0]
    elif by:
        form["groupby"] = by
    if chart.axis:
        form["x_axis"] = chart.axis
    if chart.is_time_axis:
        form["time_grain_sqla"] = MONTHS
    if chart.viz == "table":
        form["timeseries_limit_metric"] = metrics[0]
    if chart.number_format and chart.viz == "table":
        form["column_config"] = {
            _label(metric): {"d3NumberFormat": chart.number_format} for metric in metrics
        }
    elif chart.number_format:
        form["y_axis_format"] = chart.number_format
    return form


def _form_filters(chart: Chart) -> Iterator[Asset]:
    if chart.is_time_axis:
        # the handle by which a filter of the dashboard sets the time
        yield {
            "clause": "WHERE",
            "expressionType": "SIMPLE",
            "subject": chart.axis,
            "operator": "TEMPORAL_RANGE",
            "comparator": "No filter",
        }
    if chart.where:
        yield {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": chart.where}


def _query_context(chart: Chart, metrics: Sequence[str | Asset], form: Asset) -> Asset:
    axis = [] if chart.axis is None else [_axis(chart)]
    query: Asset = {
        "columns": [*axis, *(_column(each) for each in chart.by)],
        "metrics": list(metrics),
        "filters": [],
        "extras": {"where": f"({chart.where})"} if chart.where else {},
        "orderby": [[metrics[0], False]] if chart.viz == "table" else [],
        "row_limit": chart.limit,
    }
    if chart.is_time_axis:
        query["filters"] = [{"col": chart.axis, "op": "TEMPORAL_RANGE", "val": "No filter"}]
    return {
        # by its own identity: the number that it gets in an import isn't known
        "datasource": {"id": str(asset_uuid("dataset", chart.mart)), "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": form,
        "result_format": "json",
        "result_type": "full",
    }


def _axis(chart: Chart) -> str | Asset:
    axis = {
        "columnType": "BASE_AXIS",
        "expressionType": "SQL",
        "sqlExpression": chart.axis,
        "label": chart.axis,
    }
    return {**axis, "timeGrain": MONTHS} if chart.is_time_axis else axis


def _column(column: str | Mapping[str, str]) -> str | Asset:
    if isinstance(column, str):
        return column
    return {"expressionType": "SQL", "sqlExpression": column["sql"], "label": column["label"]}


def _label(metric: str | Asset) -> str:
    return metric if isinstance(metric, str) else str(metric["label"])


def _dashboard(project: Project, page: Mapping[str, Any], rows: Sequence[Row]) -> Asset:
    charts = [chart for row in rows for chart in row.charts]
    # numbers that hold within these files; the import puts its own in their place
    numbers = {chart.title: number for number, chart in enumerate(charts, start=1)}
    return {
        "dashboard_title": page["title"],
        "description": page["description"],
        "slug": page["slug"],
        "published": True,
        "position": _position(page["title"], rows, numbers),
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "native_filter_configuration": [
                _time_filter(charts, numbers),
                *(_column_filter(project, each, charts, numbers) for each in page["filters"]),
            ],
        },
        "uuid": str(asset_uuid("dashboard", page["slug"])),
        "version": VERSION,
    }


def _position(title: str, rows: Sequence[Row], numbers: Mapping[str, int]) -> Asset:
    position: Asset = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"], "children": []},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
    }
    for number, row in enumerate(rows, start=1):
        heading, row_id = f"HEADER-{number}", f"ROW-{number}"
        position["GRID_ID"]["children"] += [heading, row_id]
        parents = ["ROOT_ID", "GRID_ID"]
        position[heading] = {
            "type": "HEADER",
            "id": heading,
            "parents": parents,
            "children": [],
            "meta": {"text": row.title, "headerSize": "MEDIUM_HEADER"},
        }
        position[row_id] = {
            "type": "ROW",
            "id": row_id,
            "parents": parents,
            "children": [f"CHART-{numbers[chart.title]}" for chart in row.charts],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart in row.charts:
            chart_id = f"CHART-{numbers[chart.title]}"
            position[chart_id] = {
                "type": "CHART",
                "id": chart_id,
                "parents": [*parents, row_id],
                "children": [],
                "meta": {
                    "chartId": numbers[chart.title],
                    "uuid": str(asset_uuid("chart", chart.title)),
                    "sliceName": chart.title,
                    "width": chart.width,
                    "height": row.height,
                },
            }
    return position


def _time_filter(charts: Sequence[Chart], numbers: Mapping[str, int]) -> Asset:
    return {
        **_filter("Time", [numbers[chart.title] for chart in charts if not chart.is_time_axis]),
        "id": "NATIVE_FILTER-time",
        "filterType": "filter_time",
        "targets": [{}],
    }


def _column_filter(
    project: Project,
    spec: Mapping[str, str],
    charts: Sequence[Chart],
    numbers: Mapping[str, int],
) -> Asset:
    column = spec["column"]
    if column not in project.columns.get(spec["mart"], {}):
        raise ValueError(f"filter {spec['name']}: {spec['mart']} has no {column}")
    without = [chart for chart in charts if column not in project.columns[chart.mart]]
    return {
        **_filter(spec["name"], [numbers[chart.title] for chart in without]),
        "id": f"NATIVE_FILTER-{column}",
        "filterType": "filter_select",
        "targets": [
            {"column": {"name": column}, "datasetUuid": str(asset_uuid("dataset", spec["mart"]))}
        ],
        "controlValues": {"multiSelect": True, "enableEmptyFilter": False},
    }


def _filter(name: str, excluded: Sequence[int]) -> Asset:
    return {
        "type": "NATIVE_FILTER",
        "name": name,
        # a chart that the filter says nothing of is left as it is, rather than marked as wrong
        "scope": {"rootPath": ["ROOT_ID"], "excluded": list(excluded)},
        "controlValues": {},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
    }


def _stem(title: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
