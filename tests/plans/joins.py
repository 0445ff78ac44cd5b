"""The joins that DuckDB makes of a query, and which of them grow with the square of a service.

A subscriber joined to a calendar must be held between two bounds, its start and its end: with one,
each subscriber meets every later day; with none, or where the engine finds nothing to compare by
(an `or` in the condition), every row meets every other. Nothing here looks at a clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

# these compare every row of one side with every row of the other
PAIRWISE = frozenset({"CROSS_PRODUCT", "BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN"})
# these sort both sides and compare by greater and less
SORTED = frozenset({"PIECEWISE_MERGE_JOIN", "IE_JOIN"})

# a side that reads only these holds what the query itself spells out, however large the service
SPELT_OUT = frozenset({"DUMMY_SCAN", "COLUMN_DATA_SCAN", "EMPTY_RESULT"})

COMPARISON = re.compile(r" (<=|>=|<|>) ")


@dataclass(frozen=True)
class Join:
    """A join of a plan, with the rows that went into either side of it when it ran.

    `has_fixed_side`: one side is a single row, such as the clock, or a list in the query itself.
    """

    operator: str
    conditions: tuple[str, ...]
    left_rows: int
    right_rows: int
    has_fixed_side: bool

    @property
    def is_pairwise(self) -> bool:
        """Whether it compares each row with each of two sides that both grow."""
        return self.operator in PAIRWISE and not self.has_fixed_side

    @property
    def has_one_bound(self) -> bool:
        """Whether it compares two sides that both grow by order, and in one direction only."""
        if self.operator not in SORTED or self.has_fixed_side:
            return False
        directions = {
            found[1][0]
            for text in self.conditions
            if (found := COMPARISON.search(text)) is not None
        }
        return directions != {"<", ">"}

    def __str__(self) -> str:
        return (
            f"{self.operator} of {self.left_rows} and {self.right_rows} rows "
            f"on {' and '.join(self.conditions) or 'nothing'}"
        )


def joins_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Join]:
    """Run the query and return the joins that can be pairwise or lack a bound.

    The plan is the one for large tables: for small ones DuckDB compares pairwise out of thrift.
    """
    connection.execute("set nested_loop_join_threshold = 0")
    connection.execute("set merge_join_threshold = 0")
    plan = connection.execute(f"explain (analyze, format json) {query}").fetchall()[-1][1]
    return [
        _join(operator)
        for operator in _operators(json.loads(plan))
        if operator.get("operator_name") in PAIRWISE | SORTED
    ]


def _operators(operator: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield operator
    for child in operator.get("children", ()):
        yield from _operators(child)


def _join(operator: Mapping[str, Any]) -> Join:
    left, right = operator["children"]
    told = operator["extra_info"]
    conditions = told.get("Conditions", told.get("Condition", ()))
    return Join(
        operator=operator["operator_name"],
        conditions=(conditions,) if isinstance(conditions, str) else tuple(conditions),
        left_rows=left["operator_cardinality"],
        right_rows=right["operator_cardinality"],
        has_fixed_side=_is_fixed(left) or _is_fixed(right),
    )


def _is_fixed(side: Mapping[str, Any]) -> bool:
    leaves = (operator for operator in _operators(side) if not operator.get("children"))
    return side["operator_cardinality"] <= 1 or all(
        leaf["operator_name"] in SPELT_OUT for leaf in leaves
    )
