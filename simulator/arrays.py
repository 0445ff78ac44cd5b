"""Typed NumPy arrays, calendar months on them, and their way into Arrow columns.

Instants are int64 microseconds since 1970-01-01 UTC throughout the package; a null instant is
`NO_TIME`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simulator.contract import RawTable

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NO_TIME = np.iinfo(np.int64).min

# first day of every month from January 1970 on, as days since then
_MONTH_STARTS: Ints = (
    np.arange("1970-01", "2200-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
)


@dataclass(frozen=True)
class Window:
    """The stretch of time that a service is simulated for: `[start, end)` in microseconds."""

    start: int
    end: int
    months: int


def window_of(*, months: int, end: datetime) -> Window:
    """Return the window of so many whole months up to `end`, the first instant of a month."""
    end_month = (end.year - 1970) * 12 + end.month - 1
    return Window(
        start=int(_MONTH_STARTS[end_month - months]) * DAY,
        end=int(_MONTH_STARTS[end_month]) * DAY,
        months=months,
    )


def to_datetime(instant: int) -> datetime:
    """Return an instant in microseconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(instant // SECOND, tz=UTC).replace(microsecond=instant % SECOND)


def month_number(instants: Ints) -> Ints:
    """Return whole months since January 1970 of instants in microseconds."""
    days: Ints = instants // DAY
    return np.asarray(np.searchsorted(_MONTH_STARTS, days, side="right") - 1, dtype=np.int64)


def add_months(instants: Ints, months: Ints) -> Ints:
    """Return instants so many calendar months later, at the same time of day.

    The day of the month is that of `instants`, or the last of a shorter month, so that a run
    billed from 31 January goes 28 February, 31 March, without gap or overlap.
    """
    days = instants // DAY
    month = month_number(instants)
    day_of_month = days - _MONTH_STARTS[month]
    target = month + months
    first = _MONTH_STARTS[target]
    length = _MONTH_STARTS[target + 1] - first
    shifted: Ints = (first + np.minimum(day_of_month, length - 1)) * DAY + instants % DAY
    return shifted


def boundaries_before(instants: Ints, end: int) -> Ints:
    """Return how many monthly boundaries, the first at `instants` itself, lie before `end`."""
    whole = month_number(np.full(1, end))[0] - month_number(instants)
    whole = np.maximum(whole, 0)
    return np.where(instants >= end, 0, whole + (add_months(instants, whole) < end))


def divide_rounded(numerator: Ints, denominator: int | Ints) -> Ints:
    """Return the quotient rounded half away from zero, exactly, in integers."""
    magnitude = (2 * np.abs(numerator) + denominator) // (2 * denominator)
    return np.where(numerator < 0, -magnitude, magnitude)


def expand(counts: Ints) -> tuple[Ints, Ints]:
    """Return, for counts by parent, each child's parent index and its own index within it."""
    parents = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    starts = np.cumsum(counts) - counts
    return parents, np.arange(len(parents), dtype=np.int64) - starts[parents]


def ids(prefix: str, numbers: Ints) -> pa.Array:
    """Return text ids such as `su_000000017`."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def nullable(values: pa.Array, is_null: Flags) -> pa.Array:
    """Return the column with nulls where the mask is set."""
    return pc.if_else(pa.array(is_null), pa.scalar(None, type=values.type), values)


def times(instants: Ints) -> pa.Array:
    """Return a column of timestamps, null at `NO_TIME`."""
    return pa.array(instants, mask=instants == NO_TIME).cast(pa.timestamp("us"))


def labels(codes: Ints, names: Sequence[str]) -> pa.Array:
    """Return a text column of `names[code]`, null where the code is negative."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string())).cast(pa.string())


def to_table(raw_table: RawTable, columns: dict[str, pa.Array]) -> pa.Table:
    """Return the columns as a table of the contract's schema; `ValueError` if they are others."""
    schema = raw_table.schema
    if set(columns) != set(schema.names):
        difference = sorted(set(columns) ^ set(schema.names))
        raise ValueError(f"{raw_table.name}: columns differ from the contract's: {difference}")
    return pa.table(
        [columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema
    )


def choose(rng: np.random.Generator, weights: Sequence[float], size: int) -> Ints:
    """Return `size` draws of an index with these weights."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    picks = np.searchsorted(cumulative / cumulative[-1], rng.random(size), side="right")
    return np.minimum(picks, len(cumulative) - 1).astype(np.int64)


def recorded_after(rng: np.random.Generator, instants: Ints, window: Window) -> Ints:
    """Return when rows of these instants reached the raw store: seconds to minutes later.

    What happens in the last six hours arrives with the closing batch, in the window's last
    microsecond, so that the default knowledge horizon is the end of the window.
    """
    delayed = instants + rng.integers(2 * SECOND, 4 * MINUTE, len(instants))
    return np.where(
        instants >= window.end - 6 * HOUR, window.end - 1, np.minimum(delayed, window.end - 1)
    )
