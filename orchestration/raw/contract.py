"""The raw tables as the dbt sources declare them: the one definition, read for Python.

No raw table and no raw column is named in Python; whoever needs one asks here.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SOURCE_NAME = "raw"

DATA_TYPES = re.compile(r"string|bigint|timestamp|date|boolean|decimal\(\d+,\s*\d+\)")


@dataclass(frozen=True)
class RawColumn:
    """A column of a raw table.

    `data_type` is `string`, `bigint`, `timestamp`, `date`, `boolean` or `decimal(p,s)`.
    """

    name: str
    data_type: str
    is_nullable: bool


@dataclass(frozen=True)
class RawTable:
    """A raw table with its columns in the contract's order.

    With `has_arrivals`, models ask for the rows that the last build did not see.
    """

    name: str
    is_required: bool
    key: tuple[str, ...]
    event_time: str | None
    columns: tuple[RawColumn, ...]
    has_arrivals: bool = False


@dataclass(frozen=True)
class RawContract:
    """All raw tables, ordered by name."""

    tables: tuple[RawTable, ...]

    def table(self, name: str) -> RawTable:
        """The table of this name; KeyError if the contract has none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def read_raw_contract(models_dir: Path) -> RawContract:
    """The contract that the `*__sources.yml` files under `models_dir` declare.

    Raises ValueError where a declaration lacks what the landing gate needs, naming file and table.
    """
    tables: dict[str, RawTable] = {}
    for path in sorted(models_dir.rglob("*__sources.yml")):
        # libyaml's loader, as dbt has it: Python's own takes six times as long, in every run
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        for source in document.get("sources", []):
            if source["name"] != SOURCE_NAME:
                continue
            for entry in source.get("tables", []):
                table = _raw_table(entry, path)
                if table.name in tables:
                    raise ValueError(f"{path}: raw table {table.name} is declared twice")
                tables[table.name] = table
    return RawContract(tables=tuple(tables[name] for name in sorted(tables)))


def _raw_table(entry: dict[str, Any], path: Path) -> RawTable:
    meta = entry.get("config", {}).get("meta", {})
    missing = {"is_required", "key", "event_time"} - meta.keys()
    if missing:
        raise ValueError(f"{path}: table {entry['name']} lacks meta {', '.join(sorted(missing))}")
    columns = tuple(_raw_column(column, entry["name"], path) for column in entry["columns"])
    names = {column.name for column in columns}
    times = {meta["event_time"], meta.get("start_time")} - {None}
    unknown = {*meta["key"], *times} - names
    if unknown:
        raise ValueError(
            f"{path}: table {entry['name']} has no column {', '.join(sorted(unknown))}"
        )
    return RawTable(
        name=entry["name"],
        is_required=meta["is_required"],
        key=tuple(meta["key"]),
        event_time=meta["event_time"],
        columns=columns,
        has_arrivals=bool(meta.get("has_arrivals", False)),
    )


def _raw_column(entry: dict[str, Any], table: str, path: Path) -> RawColumn:
    data_type = str(entry.get("data_type", "")).lower()
    if not DATA_TYPES.fullmatch(data_type):
        raise ValueError(f"{path}: {table}.{entry['name']} has the unknown type {data_type!r}")
    meta = entry.get("config", {}).get("meta", {})
    return RawColumn(
        name=entry["name"],
        data_type=data_type,
        is_nullable=bool(meta.get("is_nullable", False)),
    )
