"""The connection to a release and a dataset a mart, as Superset imports them.

Nothing is typed twice: columns, types and descriptions are those of dbt's manifest, metrics those
of the semantic layer.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from dashboard.superset.metric_sql import MetricExpressions
from orchestration.metrics.catalogue import Metric, metric_marts
from orchestration.transform.manifest import MARTS_SCHEMA, Manifest, NodeProperties

Asset = dict[str, Any]

VERSION = "1.0.0"
DATABASE_NAME = "Tenure"
DATABASE_FILE = Path("databases/tenure.yaml")

# as `make demo` leaves it, from the folder that Superset is started in
DEMO_RELEASE = Path("demo/warehouse/tenure.duckdb")

FORMATS = {
    "amount": ",.2f",
    "amount a month": ",.2f",
    "share": ".1%",
    "subscribers": ",.0f",
    "milliseconds": ",.0f",
    "hours a month": ",.1f",
    "tickets a month": ",.1f",
    "points from -100 to 100": "+.0f",
    "ratio": ".3f",
}


def asset_uuid(kind: str, name: str) -> UUID:
    """The same identity for the same thing at every time: an import replaces what it knows."""
    return uuid5(NAMESPACE_URL, f"urn:tenure:superset:{kind}:{name}")


def database(release: Path) -> Asset:
    """The connection to a released file, read only and without a way to any other file.

    A relative path is one from the folder that Superset is started in. Raises ValueError for a
    path that a connection's address can't hold.
    """
    if "?" in release.as_posix():
        raise ValueError(f"{release}: what follows a question mark is no path in an address")
    return {
        "database_name": DATABASE_NAME,
        "sqlalchemy_uri": f"duckdb:///{release.as_posix()}?access_mode=read_only",
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "allows_virtual_table_explore": True,
            # whoever may write SQL in Superset must not read the server's other files by it
            "engine_params": {
                "connect_args": {
                    "config": {"enable_external_access": False, "lock_configuration": True}
                }
            },
        },
        "uuid": str(asset_uuid("database", DATABASE_NAME)),
        "version": VERSION,
    }


def datasets(manifest: Manifest) -> dict[Path, Asset]:
    """A dataset for every mart, by its file's place among the assets."""
    expressions = MetricExpressions(manifest)
    metrics = {mart.name: mart.metrics for mart in metric_marts(manifest)}
    times = {mart.name: mart.time_dimension for mart in metric_marts(manifest)}
    return {
        Path("datasets", f"{node['alias']}.yaml"): _dataset(
            node,
            metrics=[_metric(each, expressions) for each in metrics.get(node["alias"], ())],
            time_column=times.get(node["alias"]) or next(_time_columns(node), None),
        )
        for node in manifest.models()
        if node["schema"] == MARTS_SCHEMA
    }


def is_time(column: Mapping[str, Any]) -> bool:
    """Whether a column is a date or an instant, going by its declared type."""
    return str(column["data_type"]).startswith(("date", "timestamp"))


def _time_columns(node: NodeProperties) -> Iterator[str]:
    return (name for name, column in node["columns"].items() if is_time(column))


def _dataset(node: NodeProperties, *, metrics: list[Asset], time_column: str | None) -> Asset:
    return {
        "table_name": node["alias"],
        "schema": node["schema"],
        "description": _one_line(node["description"]),
        "main_dttm_col": time_column,
        "filter_select_enabled": True,
        "columns": [
            {
                "column_name": name,
                "type": column["data_type"].upper(),
                "is_dttm": is_time(column),
                "groupby": True,
                "filterable": True,
                "is_active": True,
                "description": _one_line(column["description"]),
            }
            for name, column in node["columns"].items()
        ],
        "metrics": [*metrics, _row_count()],
        "uuid": str(asset_uuid("dataset", node["alias"])),
        "database_uuid": str(asset_uuid("database", DATABASE_NAME)),
        "version": VERSION,
    }


def _metric(metric: Metric, expressions: MetricExpressions) -> Asset:
    return {
        "metric_name": metric.name,
        # what only others are made of has no label of its own
        "verbose_name": metric.label if metric.label != metric.name else None,
        "expression": expressions.of(metric.name),
        "description": metric.description,
        "d3format": FORMATS[metric.unit] if metric.unit else None,
    }


def _row_count() -> Asset:
    return {
        "metric_name": "row_count",
        "verbose_name": "Rows",
        "expression": "COUNT(*)",
        "description": "Rows of the mart.",
        "d3format": ",d",
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())
