"""The queries of dbt's unit tests, and whether one passes."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from orchestration.database.warehouse import Warehouse
from orchestration.settings import PROJECT_DIR
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject
from tests.built_service import build_service, write_headers
from tests.one_parse import invoke_dbt, parsed_once

ACTUAL = "dbt_internal_unit_test_actual"
FIXTURE = "__dbt__cte__"
COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
HOLE = "select 'the body of it' as hole"
# a change may have a query count without an end
LONGEST_SECONDS = 5.0


@dataclass(frozen=True)
class Part:
    """A named part of a model's query in one unit test, with the query around it."""

    name: str
    body: exp.Expr
    before: str
    after: str

    def around(self, body: exp.Expr) -> str:
        """The whole query with another body."""
        return self.before + body.sql("duckdb") + self.after


@dataclass(frozen=True)
class UnitTest:
    """A unit test: its query gives the actual rows and the expected ones, told apart at the end.

    `values` are those of the vars that it is run with.
    """

    name: str
    query: str
    values: frozenset[str] = frozenset()

    @cached_property
    def parts(self) -> Sequence[Part]:
        """The named parts of the model, without those that stand for what it reads."""
        names = [each.alias for each in _own_parts(sqlglot.parse_one(self.query, read="duckdb"))]
        return [self._part(number, name) for number, name in enumerate(names)]

    def _part(self, number: int, name: str) -> Part:
        whole = sqlglot.parse_one(self.query, read="duckdb")
        part = _own_parts(whole)[number]
        body = part.this.copy()
        hole = sqlglot.parse_one(HOLE, read="duckdb")
        part.set("this", hole)
        before, after = whole.sql("duckdb").split(hole.sql("duckdb"))
        return Part(name, body, before, after)


def _own_parts(whole: exp.Expr) -> list[exp.CTE]:
    actual = next(each for each in whole.find_all(exp.CTE) if each.alias == ACTUAL)
    return [
        each
        for each in actual.this.find_all(exp.CTE)
        if not each.alias.startswith(FIXTURE) and _is_outermost(each, actual)
    ]


def _is_outermost(part: exp.CTE, actual: exp.CTE) -> bool:
    around = part.find_ancestor(exp.CTE)
    return around is actual


def build_empty_service(place: Path) -> Warehouse:
    """A warehouse that has every table, and no row: unit tests need no more of it."""
    tables = DbtProject(PROJECT_DIR).contract().tables
    write_headers(place / "raw", (table for table in tables if table.is_required))
    warehouse = Warehouse(place / "warehouse")
    build_service(parsed_once(), place / "raw", warehouse, tests="none")
    return warehouse


def recorded(warehouse: Warehouse, target: Path) -> Mapping[str, Sequence[UnitTest]]:
    """The unit tests as dbt runs them, by model; raises AssertionError where one fails."""
    by_model: dict[str, list[UnitTest]] = defaultdict(list)
    values = _values_of_vars()

    def note(statement: str) -> None:
        comment = COMMENT.search(statement)
        if comment and f"{ACTUAL} as (" in statement:
            unique_id = json.loads(comment[1])["node_id"]
            _, _, model, name = unique_id.split(".")
            query = COMMENT.sub("", statement)
            by_model[model].append(UnitTest(name, query, values[unique_id]))

    arguments = ["test", "--threads", "1", "--select", "test_type:unit"]
    result = invoke_dbt(arguments, warehouse.root, target=target, on_sql=note)
    assert result.success, "a unit test fails as it is"
    return by_model


def _values_of_vars() -> Mapping[str, frozenset[str]]:
    usual = check_parameters(PROJECT_DIR).parameters.values()
    return {
        unique_id: frozenset(
            str(value).lower()
            for value in {**usual, **((unit_test["overrides"] or {}).get("vars") or {})}.values()
        )
        for unique_id, unit_test in parsed_once().manifest.content["unit_tests"].items()
    }


def passes(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether the query gives the rows that are expected; a query that breaks does not."""
    watch = threading.Timer(LONGEST_SECONDS, connection.interrupt)
    watch.start()
    try:
        rows = connection.execute(query).fetchall()
    except duckdb.Error:
        return False
    finally:
        watch.cancel()
    actual = Counter(row[:-1] for row in rows if row[-1] == "actual")
    return actual == Counter(row[:-1] for row in rows if row[-1] == "expected")
