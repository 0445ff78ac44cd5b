"""The raw tables as the project declares them: columns, types, keys and event times.

The declarations are read, never repeated; what the rules mean is in `intake`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Column:
    """One column of a raw table."""

    name: str
    data_type: str
    is_nullable: bool


@dataclass(frozen=True)
class Table:
    """One raw table: its columns in order, its key, and the column of its own event time."""

    name: str
    is_required: bool
    key: tuple[str, ...]
    event_time: str | None
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the columns' names, in the contract's order."""
        return tuple(column.name for column in self.columns)


@cache
def raw_tables() -> dict[str, Table]:
    """Return every raw table by name."""
    tables = {}
    for path in sorted((PROJECT / "models" / "staging").glob("*/_*__sources.yml")):
        sources = yaml.safe_load(path.read_text())["sources"]
        for source in (source for source in sources if source["name"] == "raw"):
            for table in source["tables"]:
                meta = table["config"]["meta"]
                tables[table["name"]] = Table(
                    name=table["name"],
                    is_required=meta["is_required"],
                    key=tuple(meta["key"]),
                    event_time=meta["event_time"],
                    columns=tuple(
                        Column(
                            name=column["name"],
                            data_type=column["data_type"],
                            is_nullable=bool(
                                column.get("config", {}).get("meta", {}).get("is_nullable")
                            ),
                        )
                        for column in table["columns"]
                    ),
                )
    return tables
