"""Faults on purpose: what a raw store looks like in real life, counted to the row.

Two kinds. Deliveries change nothing that is true: equal copies that arrive again, older versions
that were corrected, rows that arrive late or out of order, labels that nobody has heard of. Faults
are rows of their own, made from copies of true rows under new keys, each with one rule of the
contract broken, so that nothing true hangs on them; the chains that hang on a faulty row on purpose
are made likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.arrays import DAY, HOUR, MINUTE, Flags, Ints, Window, times, to_datetime
from simulator.contract import RawTable

Row = dict[str, Any]

# shares of a table's rows
DUPLICATED = 0.006
REVISED = 0.004
REVISED_AND_BACK = 0.0005
LATE = 0.003
UNHEARD_OF = 0.0005
RECORDED_JUST_BEFORE = 0.0005
FAULTY = 0.008

TEMPLATES = 300
UNKNOWN_CURRENCY = "XQX"
SPARE_CURRENCY = "GBP"
BEYOND_ANY_PAYMENT = 10**12

# a plan that is known late would put in quarantine all that hangs on it
_NEVER_LATE = ("plans",)

# so many faulty rows even where a table is too small for its share: with these every rule is broken
_REQUIRED = {
    "subscribers": 3,
    "subscription_changes": 12,
    "invoices": 6,
    "invoice_lines": 5,
    "payments": 6,
    "refunds": 2,
    "playback_sessions": 10,
}
_ROUNDS = 4
"""How often at most a table goes through all its kinds of fault."""

_CURRENCY_TABLES = (
    "subscription_changes",
    "invoices",
    "payments",
    "refunds",
    "exchange_rates",
    "marketing_spend",
)

_CLOSED_LISTS = {
    "subscription_changes": ("status", "billing_period_unit"),
    "invoices": ("status",),
    "invoice_lines": ("kind",),
    "payments": ("status",),
    "refunds": ("kind",),
    "survey_responses": ("kind",),
}

# column, the value it must have to be replaced (none: any), and the label that nobody knows
_OPEN_LISTS: dict[str, tuple[tuple[str, str | None, str], ...]] = {
    "subscription_changes": (
        ("end_reason", "cancelled", "moved_abroad"),
        ("cancel_feedback", "price", "gut_feeling"),
    ),
    "payments": (("method", None, "barter"),),
    "playback_sessions": (("device_type", None, "fridge"), ("end_cause", None, "vanished")),
    "titles": (("content_type", None, "hologram"),),
    "support_tickets": (("topic", None, "weather"),),
    "campaign_touches": (("channel", None, "pigeon"), ("purpose", None, "curiosity")),
}

_REFERENCES = {
    "subscription_changes": ("subscriber_id", "plan_id"),
    "invoices": ("subscriber_id",),
    "invoice_lines": ("invoice_id",),
    "payments": ("invoice_id",),
    "refunds": ("payment_id",),
    "playback_sessions": ("subscriber_id",),
    "support_tickets": ("subscriber_id",),
    "survey_responses": ("subscriber_id",),
    "campaign_touches": ("subscriber_id",),
}

_OWN_FAULTS: dict[str, tuple[tuple[str, Row], ...]] = {
    "subscription_changes": (
        ("out_of_range", {"billing_period_count": 0}),
        ("out_of_range", {"amount_minor": -1}),
    ),
    "invoice_lines": (("ends_before_start", {}),),
    "payments": (("out_of_range", {"amount_minor": -1}),),
    "refunds": (
        ("refund_above_payment", {"amount_minor": BEYOND_ANY_PAYMENT}),
        ("out_of_range", {"amount_minor": -1}),
    ),
    "exchange_rates": (
        ("out_of_range", {"rate": Decimal(0)}),
        ("out_of_range", {"rate": Decimal(-1)}),
    ),
    "playback_sessions": (
        ("negative_watched_seconds", {"watched_seconds": -5}),
        ("ends_before_start", {}),
    ),
    "support_tickets": (("ends_before_start", {}),),
}

_STARTS_AND_ENDS = {
    "playback_sessions": ("started_at", "ended_at"),
    "invoice_lines": ("period_start_at", "period_end_at"),
    "support_tickets": ("opened_at", "resolved_at"),
}

# the tables whose newest record is the default knowledge horizon
CLOCK_TABLES = ("subscription_changes", "payments", "playback_sessions")

_HANGING_ON_A_SUBSCRIBER = (
    "subscription_changes",
    "playback_sessions",
    "support_tickets",
    "survey_responses",
    "campaign_touches",
)


def _plus(amount: int) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda column: pc.add(column, amount)


def _with_suffix(suffix: str) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda column: pc.binary_join_element_wise(column, suffix, "")


def _always(value: str) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda column: pa.chunked_array([pa.array([value] * len(column), pa.string())])


def _an_hour_before(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.subtract(column.cast(pa.int64()), HOUR).cast(column.type)


def _slightly_higher(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.add(column, pa.scalar(Decimal("0.001"), column.type)).cast(column.type)


# what an older version said otherwise
_OLDER_VERSION: dict[str, tuple[str, Callable[[pa.ChunkedArray], pa.ChunkedArray]]] = {
    "subscribers": ("is_marketing_opt_in", pc.invert),
    "plans": ("plan_name", _with_suffix(" (working name)")),
    "subscription_changes": ("amount_minor", _plus(100)),
    "invoices": ("total_minor", _plus(100)),
    "invoice_lines": ("amount_minor", _plus(100)),
    "payments": ("fee_minor", _plus(1)),
    "refunds": ("reason", _always("under_review")),
    "exchange_rates": ("rate", _slightly_higher),
    "playback_sessions": ("watched_seconds", _plus(60)),
    "titles": ("title_name", _with_suffix(" (working title)")),
    "support_tickets": ("topic", _always("unsorted")),
    "survey_responses": ("score", _plus(1)),
    "campaign_touches": ("campaign_id", _with_suffix("_draft")),
    "marketing_spend": ("amount_minor", _plus(100)),
    "erasure_requests": ("requested_at", _an_hour_before),
}


@dataclass
class Tally:
    """One table's planned rows by where they end, and the deliveries and faults behind them."""

    accepted_rows: int = 0
    duplicate_rows: int = 0
    superseded_rows: int = 0
    beyond_as_of_rows: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)

    @property
    def quarantined_rows(self) -> int:
        """Rows that break a rule, or have a null key or no time of record."""
        return sum(self.by_rule.values())

    def reconciliation(self) -> dict[str, int]:
        """Return the row that `row_reconciliation` is to have of this table."""
        counts = {
            "accepted_rows": self.accepted_rows,
            "duplicate_rows": self.duplicate_rows,
            "superseded_rows": self.superseded_rows,
            "quarantined_rows": self.quarantined_rows,
            "beyond_as_of_rows": self.beyond_as_of_rows,
        }
        return {"raw_rows": sum(counts.values()), **counts}

    def broken(self, rule: str) -> None:
        """Count a row that breaks this rule."""
        self.by_rule[rule] = self.by_rule.get(rule, 0) + 1

    def delivered(self, kind: str, rows: int) -> None:
        """Count rows delivered in this unruly way."""
        if rows:
            self.deliveries[kind] = self.deliveries.get(kind, 0) + rows


def _replaced(table: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    index = table.schema.get_field_index(column)
    return table.set_column(index, table.schema.field(index), values)


def _instants(table: pa.Table, column: str) -> Ints:
    return np.array(table[column].cast(pa.int64()).to_numpy(), dtype=np.int64)


def older_version(name: str, table: pa.Table) -> pa.Table:
    """Return the rows as an older version had them: every one differs."""
    column, change = _OLDER_VERSION[name]
    return _replaced(table, column, change(table[column]))


@dataclass(frozen=True)
class Delivery:
    """A batch as it arrives: in its own file, and in the files of what is delivered again."""

    first: pa.Table
    again: pa.Table


def _quota(share: float, rows: int, *, is_first: bool) -> int:
    return max(int(share * rows), 1 if is_first else 0)


def deliver(
    rng: np.random.Generator,
    raw: RawTable,
    table: pa.Table,
    tally: Tally,
    *,
    window: Window,
    is_first: bool,
) -> Delivery:
    """Return a clean batch as an unruly store receives it, and count what was done to it.

    Every row of the batch stays true and is still accepted. Where `is_first`, each kind of delivery
    happens at least once, as far as there are rows for it.
    """
    rows = len(table)
    tally.accepted_rows += rows
    recorded = _instants(table, "recorded_at")
    order = np.asarray(rng.permutation(rows), dtype=np.int64)
    # what is delivered again needs the time for it
    pool = order[recorded[order] < window.end - 60 * DAY]
    used = 0

    def take(share: float) -> Ints:
        nonlocal used
        chosen = pool[used : used + _quota(share, rows, is_first=is_first)]
        used += len(chosen)
        return np.asarray(chosen, dtype=np.int64)

    duplicated, revised = take(DUPLICATED), take(REVISED)
    back = take(REVISED_AND_BACK)
    late = pool[:0] if raw.name in _NEVER_LATE else take(LATE)
    just_before = take(RECORDED_JUST_BEFORE) if _has_instant(raw) else duplicated[:0]
    table, unheard_of = _with_unheard_of_labels(raw, table, pool[used:], is_first=is_first)

    if len(just_before):
        event = _instants(table, str(raw.event_time))
        recorded[just_before] = event[just_before] - 4 * MINUTE
        table = _replaced(table, "recorded_at", times(recorded))

    def again_at(chosen: Ints, low: int, high: int) -> Ints:
        later = recorded[chosen] + rng.integers(low, high, len(chosen))
        return np.asarray(np.minimum(later, window.end - 1), dtype=np.int64)

    def copy(chosen: Ints, at: Ints) -> pa.Table:
        return _replaced(table.take(pa.array(chosen)), "recorded_at", times(at))

    first_back = again_at(back, HOUR, 10 * DAY)
    again = [
        copy(duplicated, again_at(duplicated, HOUR, 200 * DAY)),
        copy(revised, again_at(revised, HOUR, 200 * DAY)),
        older_version(raw.name, copy(back, first_back)),
        copy(back, first_back + 10 * DAY),
        copy(late, again_at(late, 60 * DAY, 330 * DAY)),
    ]
    is_plain: Flags = np.ones(rows, dtype=np.bool_)
    is_plain[revised] = False
    is_plain[late] = False
    first = pa.concat_tables(
        [
            table.filter(pa.array(is_plain)),
            older_version(raw.name, table.take(pa.array(revised))),
        ]
    )
    tally.duplicate_rows += len(duplicated) + len(back)
    tally.superseded_rows += len(revised) + len(back)
    for kind, count in {
        "duplicated": len(duplicated),
        "revised": len(revised),
        "revised_and_back": len(back),
        "late": len(late),
        "recorded_just_before": len(just_before),
        "unheard_of_label": unheard_of,
    }.items():
        tally.delivered(kind, count)
    return Delivery(first=_shuffled(rng, first), again=_shuffled(rng, pa.concat_tables(again)))


def _has_instant(raw: RawTable) -> bool:
    return raw.event_time is not None and raw.event_time.endswith("_at")


def _with_unheard_of_labels(
    raw: RawTable, table: pa.Table, pool: Ints, *, is_first: bool
) -> tuple[pa.Table, int]:
    """Return the table with some labels of describing lists replaced, and how many."""
    total = 0
    for column, needed, label in _OPEN_LISTS.get(raw.name, ()):
        candidates = pool
        if needed is not None:
            values = table[column].take(pa.array(pool))
            fits = pc.fill_null(pc.equal(values, needed), fill_value=False).to_numpy()
            candidates = pool[fits]
        chosen = candidates[: _quota(UNHEARD_OF, len(table), is_first=is_first)]
        mask = np.zeros(len(table), dtype=np.bool_)
        mask[chosen] = True
        table = _replaced(table, column, pc.if_else(pa.array(mask), label, table[column]))
        pool = np.setdiff1d(pool, chosen, assume_unique=True)
        total += len(chosen)
    return table, total


def _shuffled(rng: np.random.Generator, table: pa.Table) -> pa.Table:
    return table.take(pa.array(rng.permutation(len(table))))


@dataclass
class Faults:
    """Makes faulty rows from copies of true ones, and counts them in the tallies."""

    raw: dict[str, RawTable]
    window: Window
    templates: dict[str, list[Row]]
    tallies: dict[str, Tally]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    made: int = 0

    @property
    def end(self) -> datetime:
        """The window's end as the files have it, without a zone."""
        return to_datetime(self.window.end).replace(tzinfo=None)

    def make(self, row_counts: dict[str, int]) -> dict[str, pa.Table]:
        """Return the faulty rows by table, for tables of so many true rows."""
        self._chains()
        self._versions()
        for name in self.raw:
            self._single_faults(name, row_counts.get(name, 0))
            self._beyond(name)
        return {
            name: pa.Table.from_pylist(rows, schema=self.raw[name].schema)
            for name, rows in sorted(self.rows.items())
        }

    def _copy(self, name: str, **values: Any) -> Row:  # noqa: ANN401 a raw row holds any type
        """Return a true row under a key of its own, with these values changed."""
        self.made += 1
        template = self.templates[name][self.made % len(self.templates[name])]
        return {**template, **self._new_key(name), **values}

    def _new_key(self, name: str) -> Row:
        if name == "exchange_rates":
            return {"currency": SPARE_CURRENCY}
        if name == "marketing_spend":
            return {"acquisition_channel": f"pilot_{self.made}"}
        return {self.raw[name].key[0]: f"zz_{self.made:06d}"}

    def _put(self, name: str, row: Row) -> Row:
        self.rows.setdefault(name, []).append(row)
        return row

    def _break(self, name: str, rule: str, row: Row) -> Row:
        self.tallies[name].broken(rule)
        return self._put(name, row)

    def _has(self, *names: str) -> bool:
        return all(self.templates.get(name) for name in names)

    def _hang_on_invoice(self, invoice_id: str) -> None:
        """Put a line, a payment and its refund on an invoice that is not accepted."""
        if self._has("invoice_lines"):
            self._break(
                "invoice_lines",
                "missing_reference",
                self._copy("invoice_lines", invoice_id=invoice_id),
            )
        if self._has("payments"):
            payment = self._copy("payments", invoice_id=invoice_id)
            self._break("payments", "missing_reference", payment)
            if self._has("refunds"):
                refund = self._copy("refunds", payment_id=payment["payment_id"])
                self._break("refunds", "missing_reference", refund)

    def _chains(self) -> None:
        """Make a faulty invoice and a faulty subscriber with all that can hang on them.

        And a subscriber who is known only after the horizon, whose session waits in quarantine.
        """
        if self._has("invoices"):
            invoice = self._copy("invoices", currency=UNKNOWN_CURRENCY)
            self._break("invoices", "unknown_currency", invoice)
            self._hang_on_invoice(invoice["invoice_id"])
        if self._has("subscribers"):
            person = self._copy("subscribers", signed_up_at=None)
            self._break("subscribers", "null_value", person)
            for name in _HANGING_ON_A_SUBSCRIBER:
                if self._has(name):
                    row = self._copy(name, subscriber_id=person["subscriber_id"])
                    self._break(name, "missing_reference", row)
        if self._has("subscribers", "playback_sessions"):
            newcomer = self._copy("subscribers", recorded_at=self.end + timedelta(days=1))
            self._put_beyond("subscribers", newcomer)
            session = self._copy("playback_sessions", subscriber_id=newcomer["subscriber_id"])
            self._break("playback_sessions", "missing_reference", session)

    def _versions(self) -> None:
        """Make keys whose newest version is faulty: the older one does not come back for it."""
        for name, column in (("playback_sessions", "watched_seconds"), ("invoices", "total_minor")):
            if not self._has(name):
                continue
            older = self._copy(name)
            self._put(name, older)
            self.tallies[name].superseded_rows += 1
            # a microsecond later is later
            later = older["recorded_at"] + timedelta(microseconds=1)
            newer = {**older, column: None, "recorded_at": min(later, self.end - _MICROSECOND)}
            if newer["recorded_at"] == older["recorded_at"]:
                older["recorded_at"] -= _MICROSECOND
            self._break(name, "null_value", newer)
            self._put(name, dict(newer))
            self.tallies[name].duplicate_rows += 1

    def _kinds(self, name: str) -> list[tuple[str, Row]]:
        """Return, most telling first, the rules a table can break and the values that do so."""
        raw = self.raw[name]
        kinds: list[tuple[str, Row]] = [
            *_OWN_FAULTS.get(name, ()),
            *(("missing_reference", {column: "zz_nobody"}) for column in _REFERENCES.get(name, ())),
            *(("unknown_value", {column: "sideways"}) for column in _CLOSED_LISTS.get(name, ())),
            ("null_key", {raw.key[-1]: None}),
            ("null_recorded_at", {"recorded_at": None}),
        ]
        if raw.event_time is not None:
            kinds.append(("event_after_recorded", {}))
        if name in _CURRENCY_TABLES:
            kinds.append(("unknown_currency", {"currency": UNKNOWN_CURRENCY}))
        kinds.extend(
            ("null_value", {column.name: None})
            for column in raw.columns
            if not column.is_nullable and column.name not in (*raw.key, "recorded_at")
        )
        return kinds

    def _single_faults(self, name: str, rows: int) -> None:
        # who asks to be forgotten is a subscriber: a request of nobody's is left alone
        if name in ("plans", "erasure_requests") or not self._has(name):
            return
        kinds = list(self._kinds(name))
        wanted = (
            max(int(FAULTY * rows), _REQUIRED.get(name, 0)) - self.tallies[name].quarantined_rows
        )
        for number in range(min(max(wanted, 0), _ROUNDS * len(kinds))):
            rule, values = kinds[number % len(kinds)]
            row = self._copy(name, **values)
            if rule == "ends_before_start":
                start, end = _STARTS_AND_ENDS[name]
                row[start] = row[start] or row["recorded_at"] - timedelta(days=1)
                row[end] = row[start] - timedelta(minutes=1)
            if rule == "event_after_recorded":
                row["recorded_at"] = self._too_early(name, row)
            self._break(name, rule, row)

    def _too_early(self, name: str, row: Row) -> datetime:
        """Return a time of record that the row's own event is too late for, in any time zone."""
        event = row[str(self.raw[name].event_time)]
        if isinstance(event, datetime):
            return event - timedelta(minutes=6)
        return datetime(event.year, event.month, event.day) - timedelta(days=2)  # noqa: DTZ001 raw timestamps have no zone

    def _put_beyond(self, name: str, row: Row) -> None:
        self.tallies[name].beyond_as_of_rows += 1
        self._put(name, row)

    def _beyond(self, name: str) -> None:
        """Make rows that do not exist yet: recorded, or happening, at or after the horizon."""
        if not self._has(name):
            return
        raw = self.raw[name]
        if name not in CLOCK_TABLES:
            # the horizon itself is after the last record of the clock's tables
            version = pa.Table.from_pylist([self.templates[name][0]], schema=raw.schema)
            corrected = older_version(name, version).to_pylist()[0]
            self._put_beyond(name, {**corrected, "recorded_at": self.end + timedelta(days=1)})
            nameless = self._copy(name, **{raw.key[-1]: None}, recorded_at=self.end)
            self._put_beyond(name, nameless)
        if raw.event_time is not None:
            is_instant = _has_instant(raw)
            event = (
                self.end + timedelta(hours=1)
                if is_instant
                else (self.end + timedelta(days=3)).date()
            )
            self._put_beyond(name, self._copy(name, **{raw.event_time: event}))


_MICROSECOND = timedelta(microseconds=1)
