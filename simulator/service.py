"""One simulated service, from its parameters to its files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import market, touchpoints, viewing
from simulator.arrays import SECOND, Window, to_datetime, window_of
from simulator.billing import Numbering, bill
from simulator.contract import RawTable, raw_tables
from simulator.population import draw_streams, draw_subscribers
from simulator.truth import (
    RECONCILIATION,
    Truth,
    channels_by_value,
    iso,
    planted_rates,
    planted_survival,
    planted_tastes,
)
from simulator.writer import TableWriter

DEFAULT_END = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_PLAYS_PER_MONTH = 9.0
SUBSCRIBERS_AT_ONCE = 20_000
TRUTH_FILE = "truth.json"

# a stage draws from a stream of its own, so that more plays leave every bill as it is
_MARKET, _PEOPLE, _BILLING, _VIEWING, _TOUCHPOINTS, _CATALOGUE = range(6)

# the default knowledge horizon is read off these
_CLOCK_TABLES = ("subscription_changes", "payments", "playback_sessions")


class SimulationError(ValueError):
    """The service can't be simulated as asked; the message says what to change."""


@dataclass
class _Ledger:
    """Counts what is written, table by table."""

    rows: dict[str, int] = field(default_factory=dict)
    newest_record: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, name: str, table: pa.Table) -> None:
        self.rows[name] = self.rows.get(name, 0) + len(table)
        if name in _CLOCK_TABLES and len(table):
            newest = pc.max(table["recorded_at"].cast(pa.int64())).as_py()
            self.newest_record = max(self.newest_record, newest)

    def add(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


def _rng(seed: int, stage: int, chunk: int = 0) -> np.random.Generator:
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stage, chunk)))
    )


def _prepare(out: Path, names: list[str]) -> None:
    """Make room in `out`: a former simulation is replaced, anybody else's files are left alone."""
    if out.exists() and not out.is_dir():
        raise SimulationError(f"{out} is not a folder: choose another with --out")
    former = (out / TRUTH_FILE).exists()
    strangers = [name for name in names if (out / name).is_dir() and any((out / name).iterdir())]
    if strangers and not former:
        raise SimulationError(
            f"{out / strangers[0]} holds files that are not a finished simulation's: "
            "empty the folder or choose another with --out"
        )
    if former:
        for name in names:
            for path in sorted((out / name).glob("*.parquet")):
                path.unlink()
    out.mkdir(parents=True, exist_ok=True)


def _check(
    *, subscribers: int, months: int, seed: int, plays_per_month: float, end: datetime
) -> None:
    if subscribers < 0:
        raise SimulationError("subscribers must be 0 or more")
    if not 1 <= months <= 240:
        raise SimulationError("months must be from 1 to 240")
    if seed < 0:
        raise SimulationError("the seed must be 0 or more")
    if not 0 <= plays_per_month <= 1000:
        raise SimulationError("plays a month must be from 0 to 1000")
    first_of_month = end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if end.tzinfo is None or end != first_of_month:
        raise SimulationError(
            "the end must be the first instant of a month in UTC, such as 2026-01-01"
        )
    if not 2000 <= end.year <= 2060:
        raise SimulationError("the end must lie between 2000 and 2060")


def _chunks(
    raw: dict[str, RawTable],
    write: Callable[[str, pa.Table], None],
    ledger: _Ledger,
    *,
    subscribers: int,
    seed: int,
    plays_per_month: float,
    window: Window,
    progress: Callable[[int], None],
) -> None:
    catalogue = viewing.draw_catalogue(_rng(seed, _CATALOGUE), window)
    write("plans", market.plans_table(raw["plans"], window))
    write("exchange_rates", market.rates_table(_rng(seed, _MARKET), raw["exchange_rates"], window))
    write("titles", viewing.titles_table(raw["titles"], catalogue, window))
    spend_rng = _rng(seed, _MARKET, 1)
    write(
        "marketing_spend",
        market.spend_table(
            spend_rng, raw["marketing_spend"], subscribers=subscribers, window=window
        ),
    )
    numbering, touch_numbers, session_number = Numbering(), touchpoints.Numbers(), 0
    for chunk, first in enumerate(range(0, subscribers, SUBSCRIBERS_AT_ONCE)):
        count = min(SUBSCRIBERS_AT_ONCE, subscribers - first)
        rng = _rng(seed, _PEOPLE, chunk)
        people = draw_subscribers(rng, first=first, count=count, total=subscribers, window=window)
        write("subscribers", touchpoints.subscribers_table(rng, raw["subscribers"], people, window))
        streams = draw_streams(rng, people, window)
        billing = bill(
            _rng(seed, _BILLING, chunk), raw, people, streams, window=window, numbering=numbering
        )
        numbering = billing.numbering
        ledger.add(billing.counts)
        for name, table in billing.tables.items():
            write(name, table)
        touched = touchpoints.touch(
            _rng(seed, _TOUCHPOINTS, chunk),
            raw,
            people,
            streams,
            billing.periods,
            numbers=touch_numbers,
            window=window,
        )
        touch_numbers = touched.numbers
        for name, table in touched.tables.items():
            write(name, table)
        rng = _rng(seed, _VIEWING, chunk)
        spans = viewing.spans_of_access(
            rng, people, streams, billing.periods, plays_per_month=plays_per_month, window=window
        )
        for table in viewing.sessions(
            rng,
            raw["playback_sessions"],
            people,
            catalogue,
            spans,
            first=session_number,
            window=window,
        ):
            write("playback_sessions", table)
        session_number += viewing.MOST_PLAYS_OF_A_CHUNK
        progress(count)


def simulate(
    *,
    subscribers: int,
    months: int,
    seed: int,
    out: Path,
    plays_per_month: float = DEFAULT_PLAYS_PER_MONTH,
    dirt: bool = False,
    end: datetime = DEFAULT_END,
    progress: Callable[[int], None] = lambda _: None,
) -> Truth:
    """Write a service's raw tables and `truth.json` into `out`, and return the truth.

    The service has so many sign-ups in the `months` months before `end` (exclusive, the first of a
    month in UTC), and about `plays_per_month` playback sessions a subscriber-month of access. The
    same arguments give the same bytes. `progress` is called with each number of subscribers done.
    A former simulation in `out` is replaced. Raises `SimulationError` for arguments that make no
    service, and for a folder that holds something else.
    """
    _check(
        subscribers=subscribers, months=months, seed=seed, plays_per_month=plays_per_month, end=end
    )
    raw = raw_tables()
    _prepare(out, list(raw))
    (out / TRUTH_FILE).unlink(missing_ok=True)
    window = window_of(months=months, end=end)
    ledger = _Ledger()
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(TableWriter(out / name, table)) for name, table in raw.items()
        }

        def write(name: str, table: pa.Table) -> None:
            ledger.note(name, table)
            writers[name].write(table)

        if subscribers:
            _chunks(
                raw,
                write,
                ledger,
                subscribers=subscribers,
                seed=seed,
                plays_per_month=plays_per_month,
                window=window,
                progress=progress,
            )
    as_of = (ledger.newest_record // SECOND + 1) * SECOND if ledger.newest_record else window.end
    truth = Truth(
        parameters={
            "subscribers": subscribers,
            "months": months,
            "seed": seed,
            "plays_per_month": plays_per_month,
            "dirt": dirt,
            "start": iso(to_datetime(window.start)),
            "end": iso(end),
        },
        as_of=iso(to_datetime(as_of)),
        survival=planted_survival(months),
        rates=planted_rates(plays_per_month),
        tastes=planted_tastes(),
        channels_by_value=channels_by_value(months),
        counts={**ledger.counts, "plays": ledger.rows.get("playback_sessions", 0)},
        row_reconciliation={
            name: dict.fromkeys(RECONCILIATION, 0)
            | {"raw_rows": ledger.rows.get(name, 0), "accepted_rows": ledger.rows.get(name, 0)}
            for name in raw
        },
        quarantined_by_rule={},
        dirt={},
    )
    truth.write(out / TRUTH_FILE)
    return truth
