"""Builds of a world by recorded statements: batch after batch, or all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.database.sql_text import quoted_name
from orchestration.raw.contract import RawContract, RawTable
from orchestration.transform.horizon import horizon_to_be
from orchestration.transform.manifest import ARRIVALS_SOURCE, BASIS_SOURCE, KeptTable, Manifest
from tests.recorded import copy_seeds, replay

from .scripts import Scripts
from .worlds import Row, World

# what tells of the increment itself is another where everything is built anew
OF_INCREMENTS = (
    "__touched_",
    "__build_portions",
    "__exception_portions",
    "__keys_in_question",
    "__repeated_session_keys",
    "__session_months",
)

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

Tables = Mapping[str, Sequence[tuple[Any, ...]]]


def lay_empty(connection: duckdb.DuckDBPyConnection, contract: RawContract) -> None:
    """Makes tables where a run lays views: what is raw, and what the last build did not see."""
    for schema in ("raw", ARRIVALS_SOURCE, BASIS_SOURCE):
        connection.execute(f"create schema {schema}")
    for table in contract.tables:
        columns = ", ".join(f"{column.name} {column.data_type}" for column in table.columns)
        connection.execute(f"create table raw.{table.name} ({columns})")
        if table.has_arrivals:
            connection.execute(f"create table {ARRIVALS_SOURCE}.{table.name} ({columns})")


def keep(connection: duckdb.DuckDBPyConnection, kept: Iterable[KeptTable]) -> None:
    """Keeps of a build what the next one stands on."""
    for table in kept:
        columns = ", ".join(table.columns)
        connection.execute(
            f"create or replace table {BASIS_SOURCE}.{table.name} as"
            f" select distinct {columns} from {quoted_name(*table.kept_from)}"
        )


class Build:
    """A database in memory that is built by recorded statements."""

    def __init__(self, scripts: Scripts, contract: RawContract, manifest: Manifest) -> None:
        self.scripts = scripts
        self.contract = contract
        self.manifest = manifest
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.connection.execute("attach ':memory:' as build")
        self.connection.execute("use build")
        lay_empty(self.connection, contract)
        copy_seeds(self.connection, scripts.seeded)

    def close(self) -> None:
        self.connection.close()

    def add(self, batch: Mapping[str, Sequence[Row]]) -> None:
        """Adds rows to the raw tables, and to what the last build did not see."""
        for table in self.contract.tables:
            rows = batch.get(table.name, ())
            self._insert(f"raw.{table.name}", table, rows)
            if table.has_arrivals:
                self._insert(f"arrivals.{table.name}", table, rows)

    def _insert(self, relation: str, table: RawTable, rows: Sequence[Row]) -> None:
        if rows:
            names = [column.name for column in table.columns]
            given = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
            self.connection.register("given", given)
            self.connection.execute(f"insert into {relation} select * from given")
            self.connection.unregister("given")

    def refresh(self) -> None:
        """Builds everything anew."""
        self._build(self.scripts.full)

    def increment(self) -> None:
        """Adds what has come to what the last build left, where a run would."""
        ((horizon,),) = self.connection.execute("select as_of from basis.clock").fetchall()
        if horizon_to_be(self.connection, self.manifest) < horizon:
            self._forget()
            self.refresh()
            return
        for table in self.contract.tables:
            if table.has_arrivals:
                self.connection.execute(
                    f"insert into arrivals.{table.name} select * from raw.{table.name}"
                    f" where recorded_at >= $1 or {table.event_time} >= $1",
                    [horizon],
                )
        self._build(self.scripts.increment)

    def _forget(self) -> None:
        """Drops what was built: the statements were recorded where nothing was."""
        schemas = self.connection.execute(
            "select schema_name from duckdb_schemas() where database_name = 'build'"
            " and not internal"
            " and schema_name not in ('main', 'raw', 'arrivals', 'basis', 'reference')"
        ).fetchall()
        for (schema,) in schemas:
            self.connection.execute(f"drop schema {quoted_name(schema)} cascade")

    def _build(self, statements: Sequence[str]) -> None:
        self.connection.execute("attach ':memory:' as forgotten")
        replay(self.connection, statements)
        keep(self.connection, self.manifest.kept_tables())
        self.connection.execute("detach forgotten")
        for table in self.contract.tables:
            if table.has_arrivals:
                self.connection.execute(f"delete from arrivals.{table.name}")

    def tables(self) -> Tables:
        """Every table that was built, its rows in order, random ids all alike."""
        names = self.connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'build'"
            " and schema_name not in ('raw', 'arrivals', 'basis') order by all"
        ).fetchall()
        return {
            f"{schema}.{name}": self._rows(schema, name)
            for schema, name in names
            if not any(told in name for told in OF_INCREMENTS)
        }

    def _rows(self, schema: str, name: str) -> list[tuple[Any, ...]]:
        columns = self.connection.execute(
            "select column_name, data_type from duckdb_columns() where database_name = 'build'"
            " and schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall()
        selected = ", ".join(
            f"regexp_replace({quoted_name(column)}, '{UUID}', 'erased', 'g')"
            if data_type == "VARCHAR"
            else quoted_name(column)
            for column, data_type in columns
        )
        return self.connection.execute(
            f"select {selected} from {quoted_name(schema, name)} order by all"
        ).fetchall()


def in_batches(world: World, build: Build) -> Tables:
    """What the batches of a world end in, one after another."""
    for number, batch in enumerate(world.batches):
        build.add(batch)
        if number:
            build.increment()
        else:
            build.refresh()
    return build.tables()


def at_once(world: World, build: Build) -> Tables:
    """What the same rows come to in one build."""
    for batch in world.batches:
        build.add(batch)
    build.refresh()
    return build.tables()
