"""One simulated service, from its parameters to its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import market, touchpoints, viewing
from simulator.arrays import SECOND, Window, to_datetime, window_of
from simulator.billing import Numbering, bill, with_closing_change
from simulator.contract import RawTable, raw_tables
from simulator.dirt import CLOCK_TABLES, TEMPLATES, Faults, Row, Tally, deliver
from simulator.population import draw_streams, draw_subscribers
from simulator.truth import (
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
UNFINISHED_FILE = "truth.json.unfinished"

# a stage draws from a stream of its own, so that more plays leave every bill as it is
_MARKET, _PEOPLE, _BILLING, _VIEWING, _TOUCHPOINTS, _CATALOGUE, _DIRT = range(7)


# more would take weeks
MOST_SUBSCRIBERS = 100_000_000


class SimulationError(ValueError):
    """The service can't be simulated as asked; the message says what to change."""


class _Store:
    """Takes clean tables, writes what arrives of them, and knows what became of every row."""

    def __init__(
        self, out: Path, raw: dict[str, RawTable], *, seed: int, window: Window, dirt: bool
    ) -> None:
        self._raw = raw
        self._seed = seed
        self._window = window
        self._dirt = dirt
        self._files = ExitStack()
        self._first = {
            name: self._files.enter_context(TableWriter(out / name, table, is_out_of_order=dirt))
            for name, table in raw.items()
        }
        self._again = {
            name: self._files.enter_context(
                TableWriter(
                    out / name, table, prefix="again", is_out_of_order=dirt, may_be_absent=True
                )
            )
            for name, table in raw.items()
        }
        self._batches: Counter[str] = Counter()
        self._templates: dict[str, list[Row]] = {name: [] for name in raw}
        self.newest_record = 0
        self.counts: Counter[str] = Counter()
        self.tallies = {name: Tally() for name in raw}

    def __enter__(self) -> _Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def write(self, name: str, table: pa.Table) -> None:
        """Take a clean table of that name."""
        if not len(table):
            return
        tally = self.tallies[name]
        if not self._dirt:
            tally.accepted_rows += len(table)
            self._put(self._first[name], name, table)
            return
        batch = self._batches[name]
        self._batches[name] += 1
        missing = TEMPLATES - len(self._templates[name])
        self._templates[name].extend(table.slice(0, missing).to_pylist())
        delivery = deliver(
            _rng(self._seed, _DIRT, sorted(self._raw).index(name), batch),
            self._raw[name],
            table,
            tally,
            window=self._window,
            is_first=batch == 0,
        )
        self._put(self._first[name], name, delivery.first)
        self._put(self._again[name], name, delivery.again)

    def finish(self) -> None:
        """Add the faulty rows, where dirt is wanted: they are made from what came before."""
        if not self._dirt:
            return
        faults = Faults(self._raw, self._window, self._templates, self.tallies)
        rows = {name: tally.accepted_rows for name, tally in self.tallies.items()}
        for name, table in faults.make(rows).items():
            self._put(self._again[name], name, table)

    def _put(self, writer: TableWriter, name: str, table: pa.Table) -> None:
        if name in CLOCK_TABLES and len(table):
            newest = pc.max(table["recorded_at"].cast(pa.int64())).as_py()
            self.newest_record = max(self.newest_record, newest)
        writer.write(table)


def _rng(seed: int, *stage: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=stage)))


def _prepare(out: Path, names: list[str]) -> Path:
    """Make room in `out`, and return the file that is to become `truth.json`.

    A former simulation is replaced, an unfinished one too, with all Parquet files of its tables;
    a folder of anybody else's is refused.
    """
    if out.exists() and not out.is_dir():
        raise SimulationError(f"{out} is not a folder: choose another with --out")
    unfinished = out / UNFINISHED_FILE
    is_own = (out / TRUTH_FILE).exists() or unfinished.exists()
    taken = [name for name in names if (out / name).is_dir() and any((out / name).iterdir())]
    if taken and not is_own:
        raise SimulationError(
            f"{out / taken[0]} holds files that no simulation wrote: "
            "empty the folder or choose another with --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    (out / TRUTH_FILE).unlink(missing_ok=True)
    for name in taken:
        for path in sorted((out / name).glob("*.parquet")):
            path.unlink()
    return unfinished


def _check(
    *, subscribers: int, months: int, seed: int, plays_per_month: float, end: datetime
) -> None:
    if not 0 <= subscribers <= MOST_SUBSCRIBERS:
        raise SimulationError(f"subscribers must be from 0 to {MOST_SUBSCRIBERS:,}")
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
    store: _Store,
    *,
    subscribers: int,
    seed: int,
    plays_per_month: float,
    window: Window,
    progress: Callable[[int], None],
) -> None:
    write = store.write
    catalogue = viewing.draw_catalogue(_rng(seed, _CATALOGUE, 0), window)
    write("plans", market.plans_table(raw["plans"], window))
    write(
        "exchange_rates", market.rates_table(_rng(seed, _MARKET, 0), raw["exchange_rates"], window)
    )
    write("titles", viewing.titles_table(raw["titles"], catalogue, window))
    spend_rng = _rng(seed, _MARKET, 1)
    write(
        "marketing_spend",
        market.spend_table(
            spend_rng, raw["marketing_spend"], subscribers=subscribers, window=window
        ),
    )
    numbering, touch_numbers, session_number = Numbering(), touchpoints.Numbers(), 0
    chunks = -(-subscribers // SUBSCRIBERS_AT_ONCE)
    for chunk in range(chunks):
        # chunks of one size: the last is never too small to have had a change
        first = chunk * subscribers // chunks
        count = (chunk + 1) * subscribers // chunks - first
        rng = _rng(seed, _PEOPLE, chunk)
        people = draw_subscribers(rng, first=first, count=count, total=subscribers, window=window)
        write("subscribers", touchpoints.subscribers_table(rng, raw["subscribers"], people, window))
        streams = draw_streams(rng, people, window)
        billing = bill(
            _rng(seed, _BILLING, chunk), raw, people, streams, window=window, numbering=numbering
        )
        numbering = billing.numbering
        store.counts.update(billing.counts)
        if chunk == chunks - 1:
            billing = with_closing_change(billing, window)
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
    unfinished = _prepare(out, list(raw))
    window = window_of(months=months, end=end)
    with _Store(out, raw, seed=seed, window=window, dirt=dirt) as store:
        if subscribers:
            _chunks(
                raw,
                store,
                subscribers=subscribers,
                seed=seed,
                plays_per_month=plays_per_month,
                window=window,
                progress=progress,
            )
            store.finish()
    newest = store.newest_record
    as_of = (newest // SECOND + 1) * SECOND if newest else window.end
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
        counts={**store.counts, "plays": store.tallies["playback_sessions"].accepted_rows},
        row_reconciliation={name: tally.reconciliation() for name, tally in store.tallies.items()},
        quarantined_by_rule={name: tally.by_rule for name, tally in store.tallies.items()},
        dirt={name: tally.deliveries for name, tally in store.tallies.items()},
    )
    truth.write(unfinished)
    unfinished.replace(out / TRUTH_FILE)
    return truth
