"""`python -m benchmarks.yardsticks.ways WAY WAREHOUSE`: one way to the movements, as a process.

All begin with the accepted changes of the build in that warehouse and end with a table in it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import orjson

from orchestration.database.warehouse import Warehouse

FOLDER = Path(__file__).resolve().parent
SCHEMA = "yardsticks"
TIMES = "model_seconds.json"

# the two ends of what is measured of ours
CHANGES = "stg_billing__subscription_changes"
MOVEMENTS = "fct_mrr_movements"
# folders of models whose models count, where they lie between the two
FOLDERS_OF_MOVEMENTS = frozenset({"subscriptions", "currency"})

INPUTS = {
    "changes": f"staging.{CHANGES}",
    "exchange_rates": "staging.stg_billing__exchange_rates",
    "currencies": "reference.iso_currencies",
    "clock": "staging.stg_clock",
}


class Way(StrEnum):
    """Who makes the movements."""

    OURS = "ours"
    ALONE = "alone"
    SPINE = "spine"
    PANDAS = "pandas"


class Model(NamedTuple):
    """A model of our lineage, as dbt compiled it; `kind` is what it is made as, table or view."""

    name: str
    relation: str
    kind: str
    query: str


def lineage(manifest: dict[str, Any]) -> list[Model]:
    """Return the models that make the movements out of the changes, in the order of their making.

    The last is that of the movements. The calendar, the subscribers and the billed months, which
    also lie between the two ends, are there for others too and are taken as given. Raises KeyError
    where dbt's manifest lacks an end.
    """
    by_name = {
        node["name"]: key for key, node in manifest["nodes"].items() if key.startswith("model.")
    }
    after = _reached(manifest["child_map"], by_name[CHANGES]) - {by_name[CHANGES]}
    wanted = after & _reached(manifest["parent_map"], by_name[MOVEMENTS])
    return [
        Model(
            node["name"],
            node["relation_name"],
            node["config"]["materialized"],
            node["compiled_code"],
        )
        for node in (manifest["nodes"][key] for key in _in_order(manifest["parent_map"], wanted))
        if node["name"] == MOVEMENTS or FOLDERS_OF_MOVEMENTS & set(node["fqn"])
    ]


def _reached(edges: dict[str, list[str]], start: str) -> set[str]:
    found, left = {start}, [start]
    while left:
        new = [key for key in edges.get(left.pop(), ()) if key not in found]
        found.update(new)
        left.extend(new)
    return found


def _in_order(parents: dict[str, list[str]], wanted: set[str]) -> Iterator[str]:
    done: set[str] = set()
    while wanted - done:
        ready = sorted(key for key in wanted - done if not (wanted - done) & set(parents[key]))
        yield from ready
        done.update(ready)


def connect(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection to the build, as dbt opens it."""
    connection = duckdb.connect(
        str(Warehouse(warehouse).build_file), config={"autoinstall_known_extensions": False}
    )
    connection.execute("set enable_progress_bar = false")
    connection.execute("attach ':memory:' as forgotten")
    connection.execute(f"create schema if not exists {SCHEMA}")
    return connection


def make_ours(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> dict[str, float]:
    """Build each model of our lineage anew, in order, and return the CPU seconds of each."""
    manifest = orjson.loads((Warehouse(warehouse).dbt_dir / "manifest.json").read_bytes())
    seconds = {}
    for model in lineage(manifest):
        began = time.process_time()
        connection.execute(f"create or replace {model.kind} {model.relation} as ({model.query})")
        seconds[model.name] = time.process_time() - began
    return seconds


def make_alone(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Make the movements by the SQL of our models in one statement, which writes nothing else.

    Each model is a part of the statement, under its own name.
    """
    manifest = orjson.loads((Warehouse(warehouse).dbt_dir / "manifest.json").read_bytes())
    models = lineage(manifest)
    parts = ", ".join(f"{model.name} as ({model.query})" for model in models)
    for model in models:
        parts = parts.replace(model.relation, model.name)
    connection.execute(
        f"create or replace table {SCHEMA}.{Way.ALONE} as with {parts} select * from {MOVEMENTS}"
    )


def make_spine(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the movements the spine's way."""
    _show_inputs(connection)
    query = (FOLDER / "spine.sql").read_text(encoding="utf-8")
    connection.execute(f"create or replace table {SCHEMA}.{Way.SPINE} as {query}")


def make_pandas(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the movements with pandas."""
    from benchmarks.yardsticks.frames import movements

    _show_inputs(connection)
    made = movements(
        connection.execute(
            "select subscription_id, subscriber_id, change_id, changed_at, recorded_at, status,"
            " billing_period_unit, billing_period_count, amount_minor, currency from changes"
        ).df(),
        connection.execute(
            "select currency, cast(rate_date as timestamp) as month_start,"
            " cast(rate as double) as rate from exchange_rates where day(rate_date) = 1"
        ).df(),
        connection.execute("select currency, minor_unit_digits from currencies").df(),
        as_of=connection.execute("select as_of from clock").fetchall()[0][0],
    )
    connection.register("made", made)
    connection.execute(f"create or replace table {SCHEMA}.{Way.PANDAS} as select * from made")


def _show_inputs(connection: duckdb.DuckDBPyConnection) -> None:
    for name, relation in INPUTS.items():
        connection.execute(f"create temporary view {name} as select * from {relation}")


def main(way: Way, warehouse: Path) -> None:
    """Make the movements one way; of ours, leave the CPU seconds of each model in the warehouse."""
    with connect(warehouse) as connection:
        if way is Way.OURS:
            seconds = make_ours(connection, warehouse)
            (warehouse / TIMES).write_bytes(orjson.dumps(seconds))
        elif way is Way.ALONE:
            make_alone(connection, warehouse)
        elif way is Way.SPINE:
            make_spine(connection)
        else:
            make_pandas(connection)


if __name__ == "__main__":
    main(Way(sys.argv[1]), Path(sys.argv[2]))
