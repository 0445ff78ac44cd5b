"""What a data test of dbt holds, each thing by its name.

A test `integrity` holds many of a table at once, since a test of its own for each would cost many
times what it looks at. Its failing rows say in `broken` what they break.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.transform.manifest import INTEGRITY, Manifest, NodeProperties

# what `integrity` is given for a whole table; the other arguments are for columns, each by itself
OF_TABLE = "primary_key"

# between the unique id of a test and the mark of one thing that it holds
RULE = "#"

# how often each thing is broken, by the name that failing rows have for it
Broken = Mapping[str, int]


@dataclass(frozen=True)
class Rule:
    """One thing that must hold, and that is told by name.

    `kind` is that of a generic test, such as `not_null`. `mark` is what its failing rows have in
    `broken`; None where the test holds nothing else.
    """

    name: str
    kind: str | None
    column: str | None
    mark: str | None = None

    def failing_rows(self, sql: str) -> str:
        """The SQL of its failing rows, from that of the test; empty where that is."""
        if not sql.strip():
            return ""
        # a line of its own for what follows: the last of the SQL may be a comment
        rows = f"({sql.strip().rstrip(';')}\n)"
        if self.mark is None:
            return f"select * from {rows}"
        return f"select * from {rows} where list_contains(string_split(broken, ' '), '{self.mark}')"


def rules_of(test: NodeProperties) -> tuple[Rule, ...]:
    """What a data test holds: one thing, or all that a test `integrity` is given."""
    metadata = test.get("test_metadata") or {}
    kind = metadata.get("name")
    if kind != INTEGRITY:
        return (Rule(test["name"], kind, test.get("column_name")),)
    table = str(test["attached_node"]).rpartition(".")[-1]
    return tuple(
        Rule(
            "_".join(filter(None, (each_kind, table, column))),
            each_kind,
            column,
            mark="_".join(filter(None, (each_kind, column))),
        )
        for each_kind, column in _held(metadata["kwargs"])
    )


def _held(arguments: Mapping[str, object]) -> Iterator[tuple[str, str | None]]:
    yield OF_TABLE, None
    for kind, columns in arguments.items():
        if kind not in {OF_TABLE, "model"} and isinstance(columns, (list, dict)):
            yield from ((kind, column) for column in columns)


def told_apart(manifest: Manifest) -> dict[str, Any]:
    """The manifest for Dagster, whose checks are tests: here each is one thing that one holds."""
    content = manifest.with_test_targets()
    nodes = dict(content["nodes"])
    # dagster-dbt makes an object of each unit test, only to leave it out
    parents, children = (
        {
            unique_id: [each for each in others if each not in content["unit_tests"]]
            for unique_id, others in content[edges].items()
            if unique_id not in content["unit_tests"]
        }
        for edges in ("parent_map", "child_map")
    )
    for unique_id, test in content["nodes"].items():
        if test["resource_type"] != "test" or (rules := rules_of(test))[0].mark is None:
            continue
        apart = {f"{unique_id}{RULE}{rule.mark}": rule.name for rule in rules}
        nodes.update({each: {**test, "unique_id": each, "name": apart[each]} for each in apart})
        parents.update(dict.fromkeys(apart, parents.pop(unique_id)))
        children.update(dict.fromkeys(apart, children.pop(unique_id)))
        for parent in test["depends_on"]["nodes"]:
            children[parent].remove(unique_id)
            children[parent].extend(apart)
        del nodes[unique_id]
    edges_and_nodes = {"nodes": nodes, "parent_map": parents, "child_map": children}
    return {**content, **edges_and_nodes, "unit_tests": {}}


def parent_test(unique_id: str) -> str:
    """The unique id of the test that a check of `told_apart` is of."""
    return unique_id.partition(RULE)[0]


def broken_rules(rows: Callable[[str], Sequence[Any]], sql: str) -> Broken:
    """How many rows break each thing that a test `integrity` holds, from the SQL of the test.

    `rows` asks the engine of the build.
    """
    broken: Counter[str] = Counter()
    for marks, count in rows(f"select broken, count(*) from ({sql}\n) as failing group by broken"):
        broken.update(dict.fromkeys(marks.split(), count))
    return broken
