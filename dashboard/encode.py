"""The extract as the text that goes into the page: small, exact, and harmless inside HTML."""

import base64
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dashboard.cube import Cube
from dashboard.extract import Cell, Table

# of a rate, as much as anybody can see
SIGNIFICANT_DIGITS = 8


def packed(content: Any) -> str:  # noqa: ANN401
    """JSON, packed: money with every digit of its decimal, and null for what is not a number."""
    # a lone surrogate can't be written as UTF-8, and the escapes of ASCII keep it
    return packed_text(json.dumps(_plain(content), separators=(",", ":"), ensure_ascii=True))


def packed_text(text: str) -> str:
    """A text, compressed and in base64: a fraction of the size, and harmless inside HTML.

    No name in a release can end the element that this stands in. The same text gives the same.
    """
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")


def encoded_tables(tables: Mapping[str, Table]) -> dict[str, Any]:
    """The tables as the page's scripts read them."""
    return {name: _table(table) for name, table in tables.items()}


def encoded_cube(cube: Cube) -> dict[str, Any]:
    """The cube as the page's scripts read it."""
    return {
        "dimensions": [
            {"column": each.column, "members": each.members, "folded": each.folded}
            for each in cube.dimensions
        ],
        "combinations": cube.combinations,
        "measures": {name: _thinned(values) for name, values in cube.measures.items()},
    }


def _thinned(values: Sequence[int | Decimal]) -> dict[str, Any]:
    """The values as they are, or, where most are 0, the others with the distance to each."""
    at = [position for position, value in enumerate(values) if value]
    if len(at) * 2 > len(values):
        return {"values": values}
    steps = [here - before for before, here in zip([0, *at], at, strict=False)]
    return {"size": len(values), "steps": steps, "values": [values[here] for here in at]}


def _table(table: Table) -> dict[str, Any]:
    return {
        "size": len(table.rows),
        "columns": {
            name: _column([row[at] for row in table.rows]) for at, name in enumerate(table.columns)
        },
    }


def _column(values: Sequence[Cell]) -> Any:  # noqa: ANN401
    """The values, or, of texts and days that come again and again, each once and their places."""
    texts = {value for value in values if value is not None}
    if len(texts) * 2 > len(values) or not all(isinstance(value, str | date) for value in texts):
        return values
    known = sorted(texts, key=str)
    place: Mapping[Cell, int] = {value: at for at, value in enumerate(known)}
    return {"known": known, "at": [-1 if value is None else place[value] for value in values]}


def _plain(content: Any) -> Any:  # noqa: ANN401
    if isinstance(content, Mapping):
        return {name: _plain(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if isinstance(content, datetime):
        return content.isoformat(sep=" ", timespec="seconds")
    if isinstance(content, date):
        return content.isoformat()
    if isinstance(content, Decimal):
        return _number(float(content)) if content != content.to_integral_value() else int(content)
    if isinstance(content, float):
        return _number(float(f"{content:.{SIGNIFICANT_DIGITS}g}"))
    return content


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
