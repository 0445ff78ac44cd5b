"""Small changes to a query, each of which means something else in nearly any place.

A change is found by its number among all of the same query, so that it can be made on a copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

Change = Callable[[Any], None]

NEIGHBOURS: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.Add: exp.Sub,
    exp.Sub: exp.Add,
}
OPPOSITES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Min: exp.Max,
    exp.Max: exp.Min,
    exp.Greatest: exp.Least,
    exp.Least: exp.Greatest,
}
OTHERS = NEIGHBOURS | OPPOSITES
INTEGER = re.compile(r"\d+")


@dataclass(frozen=True)
class Site:
    """A place in a query, and a change that can be made there.

    `words` are the columns, texts and numbers that it is made of; of a number alone, which may be
    anywhere, those of what stands around it as well.
    """

    number: int
    kind: str
    text: str
    context: str
    words: frozenset[str]


def sites(query: exp.Expr) -> list[Site]:
    """All places of a query at which something can be changed, in their order."""
    return [
        Site(number, kind, _told(node), _told(node.parent) if node.parent else "", _words(node))
        for number, (kind, node, _) in enumerate(_changes(query))
    ]


def changed(query: exp.Expr, number: int) -> exp.Expr:
    """A copy of the query with the change of that number."""
    # the query itself may be what is replaced
    around = exp.Paren(this=query.copy())
    _, node, change = list(_changes(around.this))[number]
    change(node)
    made: exp.Expr = around.this
    return made


def _words(node: exp.Expr) -> frozenset[str]:
    whole = node.parent if isinstance(node, exp.Literal) and node.parent else node
    return frozenset(
        each.name.lower()
        for each in whole.walk()
        if isinstance(each, exp.Column | exp.Literal | exp.Anonymous)
    )


def _told(node: exp.Expr) -> str:
    return node.sql("duckdb", comments=False)


def _changes(query: exp.Expr) -> Iterator[tuple[str, exp.Expr, Change]]:
    for node in query.walk(bfs=False):
        for kind, change in _changes_of(node):
            yield kind, node, change


def _changes_of(node: exp.Expr) -> Iterator[tuple[str, Change]]:
    if type(node) in NEIGHBOURS:
        yield "another comparison or sign", _by_other
    if type(node) in OPPOSITES:
        yield "the opposite end", _by_other
    if isinstance(node, exp.And | exp.Or | exp.Union):
        yield "without the left side", lambda each: each.replace(each.expression.copy())
        yield "without the right side", lambda each: each.replace(each.this.copy())
    if isinstance(node, exp.Not | exp.Filter | exp.Coalesce):
        yield "without", lambda each: each.replace(each.this.copy())
    if isinstance(node, exp.Where):
        yield "without", lambda each: each.pop()
    if isinstance(node, exp.If) and isinstance(node.parent, exp.Case):
        yield "never this case", lambda each: each.set("this", exp.false())
    yield from _changes_of_order(node)
    if isinstance(node, exp.Join) and node.side == "LEFT":
        yield "an inner join", lambda each: each.set("side", None)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
        yield "not distinct", lambda each: each.set("this", each.this.expressions[0].copy())
    if _is_number(node):
        yield "one more", lambda each: each.replace(exp.Literal.number(int(each.name) + 1))


def _changes_of_order(node: exp.Expr) -> Iterator[tuple[str, Change]]:
    if isinstance(node, exp.Ordered):
        yield "the other way round", lambda each: each.set("desc", not each.args.get("desc"))
    if isinstance(node, exp.Order) and len(node.expressions) > 1:
        yield "without the last key", lambda each: each.set("expressions", each.expressions[:-1])
    if isinstance(node, exp.Window) and len(node.args.get("partition_by") or ()) > 1:
        yield (
            "without the last key of its partition",
            lambda each: each.set("partition_by", each.args["partition_by"][:-1]),
        )


def _by_other(node: exp.Expr) -> None:
    node.replace(OTHERS[type(node)](**node.copy().args))


def _is_number(node: exp.Expr) -> bool:
    return (
        isinstance(node, exp.Literal)
        and not node.is_string
        and bool(INTEGER.fullmatch(node.name))
        and not node.find_ancestor(exp.DataType)
    )
