"""The plans by which Spark made each table, from its own log of events, and what would not spread.

A subtree is bounded where it does not grow with the subscribers: it reads only tables without an id
in them, such as the calendar, or it is grouped by what has no id and no instant, such as months.
What is not bounded must neither meet every row of another such side, nor go through one partition,
nor through the driver.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAIRWISE = frozenset({"BroadcastNestedLoopJoin", "CartesianProduct"})
THROUGH_DRIVER = frozenset({"CollectLimit", "CollectTail", "TakeOrderedAndProject"})
WINDOWS = frozenset({"Window", "WindowGroupLimit"})

# plans, and what goes by them, are as many as a service has on offer
FEW = frozenset({"plan_id"})
# what a group may be by that is as many as there are rows
INSTANTS = ("_at", "_hash")

WRITTEN = re.compile(r"/(\w+)\.db/(\w+)[,/ ]")
SCANNED = re.compile(r"spark_catalog\.(\w+\.\w+)")
EXECUTION = re.compile(r'"executionId":(\d+)')
LIMIT = re.compile(r"limit=(\d+)[,)]")
# each task hands so many rows to the driver at the most, however many it reads
FEW_ROWS = 100
KEYS = re.compile(r"keys=\[(.*?)\], functions=")

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Plans:
    """The final plans by which each table was written, by its name with the schema."""

    by_table: Mapping[str, Sequence[Node]]

    @classmethod
    def read(cls, log: Path) -> Plans:
        """The plans in a log of events."""
        events = [json.loads(line) for line in _last_told(log)]
        by_table: dict[str, list[Node]] = defaultdict(list)
        plans = _final_plans(events)
        for execution, table in tables_by_execution(events).items():
            by_table[table].append(plans[execution])
        return cls(by_table)

    def complaints(self, columns: Mapping[str, list[str]]) -> Iterator[str]:
        """What would not spread, one text each; `columns` are those of each table."""
        for table, plans in sorted(self.by_table.items()):
            for node in (node for plan in plans for node in _nodes(plan)):
                if what := _fault(node, columns):
                    yield f"{table}: {what}: {node['simpleString'][:200]}"


def tables_by_execution(events: Sequence[Node]) -> Mapping[int, str]:
    """The table that each execution has written, by its number in the log of events."""
    return {
        execution: ".".join(written.groups())
        for execution, plan in _final_plans(events).items()
        for node in _nodes(plan)
        if "InsertIntoHadoopFsRelationCommand" in node["nodeName"]
        if (written := WRITTEN.search(node["simpleString"] + " "))
    }


def _last_told(log: Path) -> Iterable[str]:
    """The lines in which the plan of each execution stands for the last time."""
    last: dict[str, str] = {}
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if '"sparkPlanInfo"' in line and (execution := EXECUTION.search(line)):
                last[execution.group(1)] = line
    return last.values()


def _final_plans(events: Sequence[Node]) -> Mapping[int, Node]:
    # the plan is told again each time that adaptive execution changes it
    return {
        event["executionId"]: event["sparkPlanInfo"] for event in events if "sparkPlanInfo" in event
    }


def _fault(node: Node, columns: Mapping[str, list[str]]) -> str | None:
    name = node["nodeName"]
    if name in PAIRWISE and not any(_is_bounded(side, columns) for side in node["children"]):
        return "every row meets every other"
    few = (limit := LIMIT.search(node["simpleString"])) and int(limit.group(1)) <= FEW_ROWS
    if name in THROUGH_DRIVER and not few and not _is_bounded(node["children"][0], columns):
        return "goes through the driver"
    if name in WINDOWS and _is_of_one_partition(node) and not _is_bounded(node, columns):
        return "a window over all rows"
    return None


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        yield from _nodes(child)


def _is_of_one_partition(window: Node) -> bool:
    """Whether the rows of a window were first brought to one partition."""
    (node,) = window["children"]
    while "Exchange" not in node["nodeName"] and len(node["children"]) == 1:
        (node,) = node["children"]
    return "SinglePartition" in node["simpleString"]


def _is_bounded(node: Node, columns: Mapping[str, list[str]]) -> bool:
    if "Aggregate" in node["nodeName"] and (keys := KEYS.search(node["simpleString"])):
        names = [key.split("#")[0].strip() for key in keys.group(1).split(",") if key]
        if not any(_is_id(name) or name.endswith(INSTANTS) for name in names):
            return True
    if node["children"]:
        return all(_is_bounded(child, columns) for child in node["children"])
    scanned = SCANNED.search(node["nodeName"] + " " + node["simpleString"])
    if scanned is None:
        # spelt out in the query
        return node["nodeName"] in {"LocalTableScan", "Range", "Scan OneRowRelation"}
    return not any(_is_id(name) for name in columns.get(scanned.group(1), ["unknown_id"]))


def _is_id(name: str) -> bool:
    return name.endswith("_id") and name not in FEW
