"""The raw tables' names, keys, columns and types, read from the dbt sources.

The YAML files under `models/staging` are the one place where a raw table is defined; nothing here
repeats a column of theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

SOURCES_FOLDER = Path(__file__).resolve().parents[1] / "models" / "staging"

# the source of raw tables, beside others that the project declares
RAW_SOURCE = "raw"

_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "double": pa.float64(),
}


@dataclass(frozen=True)
class RawColumn:
    """A column of a raw table: its name, its type in Arrow, and whether it may be null."""

    name: str
    arrow_type: pa.DataType
    is_nullable: bool


@dataclass(frozen=True)
class RawTable:
    """A raw table: its key, the column of its own event time (if it has one) and its columns."""

    name: str
    key: tuple[str, ...]
    event_time: str | None
    columns: tuple[RawColumn, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, in the contract's order.

        Every field may be null in the file: which nulls are faults is for the reader to judge.
        """
        return pa.schema([pa.field(column.name, column.arrow_type) for column in self.columns])

    def column(self, name: str) -> RawColumn:
        """Return the column of that name; `KeyError` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")


def _arrow_type(data_type: str) -> pa.DataType:
    decimal = re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", data_type)
    if decimal:
        return pa.decimal128(int(decimal.group(1)), int(decimal.group(2)))
    if data_type not in _ARROW_TYPES:
        raise ValueError(f"the sources name a type that has no Arrow counterpart here: {data_type}")
    return _ARROW_TYPES[data_type]


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = node.get("config", {}).get("meta", {})
    return meta


def _read_table(node: dict[str, Any]) -> RawTable:
    meta = _meta(node)
    return RawTable(
        name=node["name"],
        key=tuple(meta["key"]),
        event_time=meta["event_time"],
        columns=tuple(
            RawColumn(
                name=column["name"],
                arrow_type=_arrow_type(column["data_type"]),
                is_nullable=bool(_meta(column).get("is_nullable", False)),
            )
            for column in node["columns"]
        ),
    )


@lru_cache(maxsize=1)
def raw_tables() -> dict[str, RawTable]:
    """Return every raw table by name, in alphabetical order.

    Raises `FileNotFoundError` where the sources are not beside the package.
    """
    paths = sorted(SOURCES_FOLDER.glob("*/_*__sources.yml"))
    if not paths:
        raise FileNotFoundError(
            f"no sources under {SOURCES_FOLDER}: run the simulator from a checkout of the project"
        )
    tables: dict[str, RawTable] = {}
    for path in paths:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for source in document["sources"]:
            if source["name"] != RAW_SOURCE:
                continue
            for node in source["tables"]:
                tables[node["name"]] = _read_table(node)
    return dict(sorted(tables.items()))
