"""Raw rows through the project's own SQL: files, the landing gate, dbt, and the marts read back.

The marts come back as `reference` gives them: a list of rows a mart, instants in UTC, money as
decimals. What is compared with what is told in `compare`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from orchestration.raw import landing
from orchestration.raw.contract import read_raw_contract
from orchestration.raw.folder import open_raw_folder
from tests.one_parse import invoke_dbt, what_failed

from .intake import Raw, Row
from .reference import Marts, Settings
from .tables import PROJECT, Table, raw_tables

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

ARROW_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "decimal(27,18)": pa.decimal128(27, 18),
}

CONTRACTED = (
    "row_reconciliation",
    "quarantined_rows",
    "fct_subscription_states",
    "fct_subscriber_lifetimes",
    "fct_mrr_movements",
    "mrr_bridge_monthly",
    "revenue_monthly",
    "fct_churn_events",
    "churn_monthly",
    "retention_cohorts",
    "survival_curves",
    "viewing_daily",
)
"""The marts whose definitions are the contract's."""

QUALITY = ("row_reconciliation", "quarantined_rows")


class PipelineError(Exception):
    """Dbt did not build the marts; the text is what it said."""


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell is of its column's type
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def write_raw(raw: Raw, folder: Path, rng: random.Random) -> None:
    """Write the rows as a raw folder: shuffled, over a few files a table, Parquet and CSV mixed.

    A required table without rows is one empty file; an optional one is sometimes left out.
    """
    for name, table in raw_tables().items():
        rows = list(raw.get(name, []))
        if not rows and not table.is_required and rng.random() < 0.5:
            continue
        rng.shuffle(rows)
        target = folder / name
        target.mkdir(parents=True)
        parts = rng.randint(1, 3)
        for number in range(parts):
            _write_part(table, rows[number::parts], target / f"part-{number}", rng)


def _write_part(table: Table, rows: Sequence[Row], stem: Path, rng: random.Random) -> None:
    columns = {
        column.name: pa.array(
            [_cell(row[column.name]) for row in rows], ARROW_TYPES[column.data_type]
        )
        for column in table.columns
    }
    frame = pa.table(columns)
    if rng.random() < 0.5:
        pyarrow.parquet.write_table(frame, stem.with_suffix(".parquet"))
    else:
        pyarrow.csv.write_csv(frame, stem.with_suffix(".csv"))


def lay_views(folder: Path, warehouse: Path) -> None:
    """Make `build.duckdb` in `warehouse` with a view of schema `raw` for each table.

    Raises `PipelineError` where the landing gate finds a fault in the folder.
    """
    contract = read_raw_contract(PROJECT / "models")
    inspection = landing.inspect(open_raw_folder(folder, contract), contract)
    if inspection.faults:
        raise PipelineError("\n".join(map(str, inspection.faults)))
    warehouse.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(warehouse / "build.duckdb") as connection:
        landing.lay_views(connection, inspection)


def dbt_vars(settings: Settings) -> dict[str, object]:
    """Return the settings as the project's vars."""
    as_of = settings.as_of
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if as_of and as_of.microsecond else "%Y-%m-%dT%H:%M:%SZ"
    return {
        "as_of": None if as_of is None else as_of.strftime(form),
        "reporting_currency": settings.reporting_currency,
        "reporting_timezone": settings.reporting_timezone,
        "past_due_grace_days": settings.past_due_grace_days,
        "churn_grace_hours": settings.churn_grace_hours,
    }


def _invoke(
    command: Sequence[str], warehouse: Path, settings: Settings, target: Path
) -> dbtRunnerResult:
    arguments = [*command, *("--vars", json.dumps(dbt_vars(settings)), "--threads", "1")]
    return invoke_dbt(arguments, warehouse, target=target)


def run_dbt(
    warehouse: Path, settings: Settings, target: Path, marts: Sequence[str] = CONTRACTED
) -> None:
    """Build the marts and what they stand on in `warehouse`.

    What dbt compiles is in `target`. Raises `PipelineError` where a node fails.
    """
    command = [
        "build",
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        *("--select", *(f"+{name}" for name in marts)),
    ]
    result = _invoke(command, warehouse, settings, target)
    if said := what_failed(result):
        raise PipelineError(said)


def input_faults(warehouse: Path, settings: Settings, target: Path) -> list[str]:
    """Return what the tests that judge the input say of the tables that `run_dbt` built."""
    command = ["test", "--select", "config.meta.fault:input"]
    results = getattr(_invoke(command, warehouse, settings, target).result, "results", None) or []
    # a hook of the project's is a result too
    tests = [result.node for result in results if result.node.resource_type == "test"]
    if not tests:
        raise PipelineError("there is no test that judges the input")
    with duckdb.connect(warehouse / "build.duckdb", read_only=True) as connection:
        return [
            message
            for test in tests
            for (message,) in connection.execute(
                f"select message from ({test.compiled_code})"
            ).fetchall()
        ]


def _read(value: Any) -> Any:  # noqa: ANN401 - a cell is of its column's type
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def read_marts(warehouse: Path, names: Sequence[str]) -> Marts:
    """Return the marts' rows, in no particular order."""
    marts: Marts = {}
    with duckdb.connect(warehouse / "build.duckdb", read_only=True) as connection:
        for name in names:
            schema = "quality" if name in QUALITY else "marts"
            result = connection.execute(f"select * from {schema}.{name}")
            columns = [column[0] for column in result.description]
            marts[name] = [
                {c: _read(v) for c, v in zip(columns, found, strict=True)}
                for found in result.fetchall()
            ]
    return marts


def run_pipeline(
    raw: Raw,
    settings: Settings,
    folder: Path,
    rng: random.Random,
    target: Path,
    marts: Sequence[str] = CONTRACTED,
) -> Marts:
    """Return the marts that the project makes of the rows, by way of files in `folder`."""
    raw_folder, warehouse = folder / "raw", folder / "warehouse"
    raw_folder.mkdir(parents=True)
    write_raw(raw, raw_folder, rng)
    lay_views(raw_folder, warehouse)
    run_dbt(warehouse, settings, target, marts)
    return read_marts(warehouse, marts)


def texts_in(warehouse: Path) -> set[str]:
    """Return every text in every table but the raw ones, each once."""
    found: set[str] = set()
    with duckdb.connect(warehouse / "build.duckdb", read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_schema not in ('raw', 'reference') and data_type = 'VARCHAR'"
        ).fetchall()
        for schema, table, column in columns:
            rows = connection.execute(
                f'select distinct "{column}" from "{schema}"."{table}" where "{column}" is not null'
            ).fetchall()
            found |= {row[0] for row in rows}
    return found
