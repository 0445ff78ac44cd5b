"""dbt's manifest as the rest of the package asks it: by schema, meta or lineage, never by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from orchestration.errors import DamagedError
from orchestration.raw.contract import SOURCE_NAME

# what to do about a file of dbt's that is damaged
MADE_ANEW = "the next run makes it anew"

MARTS_SCHEMA = "marts"
RELEASED_SCHEMAS = (MARTS_SCHEMA, "quality")

# the source whose tables Python fits on models of the same build
FITTED_SOURCE = "fitted"

# the generic test that holds a table's key and what must hold of each row
INTEGRITY = "integrity"

# the source whose tables keep what a whole build knew
BASIS_SOURCE = "basis"

# the source with what that build did not see, which a run lays before an increment
ARRIVALS_SOURCE = "arrivals"

NodeProperties = Mapping[str, Any]


@dataclass(frozen=True)
class ReleasedTable:
    """A model that readers get, with what its description says."""

    schema: str
    name: str
    description: str
    column_descriptions: Mapping[str, str]
    primary_key: tuple[str, ...]


@dataclass(frozen=True)
class RawEvents:
    """A raw table, its key, and the column that says when a row happened; None where none does.

    `start_time` is the column from which on a row counts, where that is earlier. What reaches back
    changes what was before it: rows that other rows refer to, or that stand in an order with them.
    """

    table: str
    event_time: str | None
    start_time: str | None
    is_date: bool
    key: tuple[str, ...]
    reaches_back: bool


@dataclass(frozen=True)
class HeadlineFigure:
    """A column of a monthly mart that people quote, by its meta `is_headline`.

    `rows` says by column which of the mart's rows are the figure's: by its meta `headline_rows`,
    where a month has rows of all and of parts.
    """

    schema: str
    table: str
    column: str
    rows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FittedTable:
    """A table that Python fits between two parts of a build, as its source declares it.

    `fit` names the function that makes it, `reads` says by role which models that is given (their
    unique ids), `columns` are names and data types in the table's order.
    """

    name: str
    fit: str
    reads: Mapping[str, str]
    columns: Mapping[str, str]
    description: str


@dataclass(frozen=True)
class KeptTable:
    """A table that keeps columns of a model of the last whole build, as its source declares it.

    `kept_from` is the model's schema and name.
    """

    name: str
    kept_from: tuple[str, str]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """The parsed project."""

    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """The manifest in a file that dbt wrote; raises DamagedError where it is none."""
        try:
            content = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise DamagedError(f"{path} is damaged: {MADE_ANEW}") from error
        return cls(content)

    def node(self, unique_id: str) -> NodeProperties:
        """The properties of a node or source; KeyError if there is none."""
        for kind in ("nodes", "sources"):
            if unique_id in self.content[kind]:
                properties: NodeProperties = self.content[kind][unique_id]
                return properties
        raise KeyError(unique_id)

    def models(self) -> Iterator[NodeProperties]:
        """The models that become a table or a view, by unique id."""
        for unique_id in sorted(self.content["nodes"]):
            node = self.content["nodes"][unique_id]
            if node["resource_type"] == "model" and node["config"]["materialized"] != "ephemeral":
                yield node

    def built_nodes(self) -> int:
        """How many models and seeds a whole build makes."""
        seeds = [node for node in self.content["nodes"].values() if node["resource_type"] == "seed"]
        return len(list(self.models())) + len(seeds)

    def released_tables(self) -> tuple[ReleasedTable, ...]:
        """The models that readers get, by schema and name."""
        released = [node for node in self.models() if node["schema"] in RELEASED_SCHEMAS]
        return tuple(
            ReleasedTable(
                schema=node["schema"],
                name=node["alias"],
                description=node["description"].strip(),
                column_descriptions={
                    name: column["description"].strip() for name, column in node["columns"].items()
                },
                primary_key=_primary_key(node),
            )
            for node in sorted(released, key=lambda node: (node["schema"], node["alias"]))
        )

    def tested_keys(self) -> Mapping[str, tuple[str, ...]]:
        """The key of each released table whose integrity is tested, by schema and name."""
        keys: dict[str, tuple[str, ...]] = {}
        for node in self.content["nodes"].values():
            test = node.get("test_metadata") or {}
            if node["resource_type"] != "test" or test.get("name") != INTEGRITY:
                continue
            schema, name = self.relation(node["attached_node"])
            if schema in RELEASED_SCHEMAS:
                keys[f"{schema}.{name}"] = tuple(test["kwargs"]["primary_key"])
        return {
            **{
                f"{table.schema}.{table.name}": table.primary_key
                for table in self.released_tables()
                if table.primary_key
            },
            **keys,
        }

    def headline_figures(self) -> tuple[HeadlineFigure, ...]:
        """The columns of released models that are marked as headline figures, by mart."""
        return tuple(
            HeadlineFigure(
                node["schema"],
                node["alias"],
                name,
                node["config"].get("meta", {}).get("headline_rows", {}),
            )
            for node in self.models()
            if node["schema"] in RELEASED_SCHEMAS
            for name, column in node["columns"].items()
            if column.get("config", {}).get("meta", {}).get("is_headline")
        )

    def raw_events(self) -> tuple[RawEvents, ...]:
        """The raw tables with the column that says when each row happened, by name."""
        sources = self.content["sources"].values()
        raw = [source for source in sources if source["source_name"] == SOURCE_NAME]
        return tuple(
            RawEvents(
                source["name"],
                time,
                meta.get("start_time"),
                is_date=bool(time) and source["columns"][time]["data_type"] == "date",
                key=tuple(meta.get("key", ())),
                reaches_back=bool(meta.get("reaches_back")),
            )
            for source in sorted(raw, key=lambda source: str(source["name"]))
            for meta in [source["config"].get("meta", {})]
            for time in [meta.get("event_time")]
        )

    def relation(self, unique_id: str) -> tuple[str, str]:
        """Schema and name of what a node or source is in the database."""
        node = self.node(unique_id)
        return node["schema"], node.get("alias") or node["name"]

    def relations(self) -> Iterator[tuple[str, str]]:
        """Schema and name of everything that the project makes or reads, rows of tests included."""
        for kind in ("nodes", "sources"):
            for unique_id in self.content[kind]:
                yield self.relation(unique_id)

    def input_tests(self) -> list[NodeProperties]:
        """The data tests whose failure says that the input is wrong, by unique id."""
        nodes = self.content["nodes"]
        return [
            nodes[unique_id]
            for unique_id in sorted(nodes)
            if nodes[unique_id]["resource_type"] == "test"
            and test_fault(nodes[unique_id]) == "input"
        ]

    def kept_tables(self) -> tuple[KeptTable, ...]:
        """The tables of the source `basis` that keep rows of a model, by name."""
        models = {node["name"]: node["unique_id"] for node in self.models()}
        return tuple(
            KeptTable(
                name=source["name"],
                kept_from=self.relation(models[source["config"]["meta"]["kept_from"]]),
                columns=tuple(source["columns"]),
            )
            for _, source in sorted(self.content["sources"].items())
            if source["source_name"] == BASIS_SOURCE
        )

    def fitted_tables(self) -> tuple[FittedTable, ...]:
        """The tables of the source `fitted`, by name; ValueError for one that lacks its meta."""
        models = {node["name"]: node["unique_id"] for node in self.models()}
        tables = []
        for source in self._fitted_sources():
            meta = source["config"].get("meta", {})
            unknown = [name for name in meta.get("reads", {}).values() if name not in models]
            if unknown or not meta.get("fit"):
                raise ValueError(
                    f"source {FITTED_SOURCE}.{source['name']} needs meta `fit`, the name of a"
                    " function, and `reads`, models by role; unknown models:"
                    f" {', '.join(unknown) or 'none'}"
                )
            tables.append(
                FittedTable(
                    name=source["name"],
                    fit=meta["fit"],
                    reads={role: models[name] for role, name in meta["reads"].items()},
                    columns={
                        name: column["data_type"] for name, column in source["columns"].items()
                    },
                    description=source["description"].strip(),
                )
            )
        return tuple(tables)

    def _fitted_sources(self) -> list[NodeProperties]:
        sources = self.content["sources"]
        return [
            sources[unique_id]
            for unique_id in sorted(sources)
            if sources[unique_id]["source_name"] == FITTED_SOURCE
        ]

    @cached_property
    def nodes_on_fits(self) -> frozenset[str]:
        """The fitted tables and all that stands on them, by unique id."""
        return frozenset(
            self._descendants(source["unique_id"] for source in self._fitted_sources())
        )

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        children: Mapping[str, list[str]] = self.content["child_map"]
        return children

    def marts_by_area(self) -> Mapping[str, tuple[str, ...]]:
        """All marts by the folder that their SQL is in."""
        areas: dict[str, list[str]] = {}
        for node in self.models():
            if node["schema"] == MARTS_SCHEMA:
                areas.setdefault(node["fqn"][-2], []).append(node["alias"])
        return {area: tuple(sorted(areas[area])) for area in sorted(areas)}

    def marts_from(self, raw_table: str) -> tuple[str, ...]:
        """The marts to which a raw table's rows lead, by name."""
        start = [
            unique_id
            for unique_id, source in self.content["sources"].items()
            if source["source_name"] == SOURCE_NAME and source["name"] == raw_table
        ]
        return self._marts_among(self._reached(start))

    def marts_touched(self, table_name: str) -> tuple[str, ...]:
        """The marts that a fault in a table (`schema.name`) reaches, itself included, by name."""
        start = [
            unique_id
            for kind in ("nodes", "sources")
            for unique_id, node in self.content[kind].items()
            if node["resource_type"] in {"model", "seed", "source"}
            and ".".join(self.relation(unique_id)) == table_name
        ]
        return self._marts_among(self._reached(start))

    def all_marts(self) -> tuple[str, ...]:
        """Every mart, by name."""
        return self._marts_among(self.content["nodes"])

    def _marts_among(self, unique_ids: Iterable[str]) -> tuple[str, ...]:
        found = (self.content["nodes"].get(unique_id) for unique_id in unique_ids)
        return tuple(
            sorted(
                node["alias"]
                for node in found
                if node and node["resource_type"] == "model" and node["schema"] == MARTS_SCHEMA
            )
        )

    def _reached(self, start: Iterable[str]) -> set[str]:
        """All that stands on these, through the fits too: what Python reads, dbt knows not of."""
        reached = self._descendants(start)
        fitted = {source["name"]: source["unique_id"] for source in self._fitted_sources()}
        for table in self.fitted_tables():
            if reached.intersection(table.reads.values()):
                reached |= self._descendants([fitted[table.name]])
        return reached

    def marts_empty_without(self, raw_tables: Iterable[str]) -> tuple[str, ...]:
        """The marts that have no row where none of these raw tables has one, by name.

        Lineage can't tell: nearly every mart reads nearly every table, if only for its calendar. A
        mart names the tables that its rows come from in its meta, as `rows_from`.
        """
        absent = set(raw_tables)
        return tuple(
            sorted(
                node["alias"]
                for node in self.models()
                if node["schema"] == MARTS_SCHEMA
                and (tables := node["config"].get("meta", {}).get("rows_from"))
                and absent.issuperset(tables)
            )
        )

    def _descendants(self, start: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        ahead = list(start)
        while ahead:
            unique_id = ahead.pop()
            if unique_id not in reached:
                reached.add(unique_id)
                ahead.extend(self._children.get(unique_id, []))
        return reached

    def model_under_test(self, unique_id: str) -> str | None:
        """The unique id of the node that a test judges: of several, the one furthest downstream.

        What stands on fits is built after what does not.
        """
        test = self.node(unique_id)
        attached = test.get("attached_node")
        if attached:
            return str(attached)
        tested = test["depends_on"]["nodes"]
        return max(
            tested,
            key=lambda parent: (parent in self.nodes_on_fits, self._depth(parent), parent),
            default=None,
        )

    def with_test_targets(self) -> dict[str, Any]:
        """The manifest with the model under test named in every test of several models.

        dagster-dbt makes no check of a test that names none.
        """
        nodes = dict(self.content["nodes"])
        for unique_id, node in nodes.items():
            if node["resource_type"] != "test" or node.get("attached_node"):
                continue
            target = self.content["nodes"].get(self.model_under_test(unique_id))
            if target and len(set(node["depends_on"]["nodes"])) > 1:
                reference = {"name": target["name"], "package": target["package_name"]}
                meta = {**node["config"].get("meta", {}), "dagster": {"ref": reference}}
                nodes[unique_id] = {**node, "config": {**node["config"], "meta": meta}}
        return {**self.content, "nodes": nodes}

    def _depth(self, unique_id: str) -> int:
        depth = self._depths.get(unique_id)
        if depth is None:
            parents = self.content["parent_map"].get(unique_id, [])
            depth = 1 + max((self._depth(parent) for parent in parents), default=0)
            self._depths[unique_id] = depth
        return depth

    @cached_property
    def _depths(self) -> dict[str, int]:
        return {}


def test_fault(properties: NodeProperties) -> str | None:
    """What a failure of this test says is at fault: `input`, or None for the build itself."""
    fault = properties["config"].get("meta", {}).get("fault")
    return str(fault) if fault else None


def _primary_key(node: NodeProperties) -> tuple[str, ...]:
    for constraint in node.get("constraints", []):
        if constraint["type"] == "primary_key":
            return tuple(constraint["columns"])
    return tuple(
        name
        for name, column in node["columns"].items()
        if any(constraint["type"] == "primary_key" for constraint in column.get("constraints", []))
    )
