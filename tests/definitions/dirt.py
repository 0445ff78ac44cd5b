"""What goes wrong on the way in: duplicates, revisions, late rows, and every broken rule."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from .intake import Row
from .local_time import TICK
from .moments import DAY, HOUR, SECOND, Clock
from .stories import RawRows
from .tables import raw_tables


class Dirt:
    """Duplicates, revisions, late rows, and every broken rule, a few of each."""

    def __init__(self, prefix: str, clock: Clock, rng: random.Random) -> None:
        self._prefix = prefix
        self._clock = clock
        self._rng = rng
        self._kinds: list[Callable[[str, Row], list[Row]]] = [
            self._twice,
            self._twice,
            self._revised,
            self._revised,
            self._flipped_back,
            self._late,
            self._early,
            self._with_null,
            self._without_key,
            self._unrecorded,
            self._unknown_value,
            self._unknown_currency,
            self._loose,
            self._impossible,
        ]

    def spread(self, raw: RawRows) -> None:
        """Add to or change about a tenth of the rows, in place."""
        share = self._rng.choice([0, 0, 0.05, 0.2])
        for table, rows in raw.items():
            made = []
            for row in rows:
                # a service whose plans or people are gone tells nothing
                weight = share / 4 if table in ("plans", "subscribers") else share
                spoil = self._rng.choice(self._kinds) if self._rng.random() < weight else None
                made += [row] if spoil is None else spoil(table, row)
            rows[:] = made

    def _later(self, row: Row) -> datetime:
        recorded_at: datetime = row["recorded_at"]
        return recorded_at + self._rng.choice([TICK, SECOND, DAY])

    def _twice(self, table: str, row: Row) -> list[Row]:
        del table
        return [row, dict(row), {**row, "recorded_at": self._later(row)}][: self._rng.randint(2, 3)]

    def changed(self, table: str, row: Row) -> Row:
        """Return the row with something about it that is different."""
        changes: dict[str, Callable[[], Row]] = {
            "subscribers": lambda: {"country_code": "DE"},
            "plans": lambda: {"plan_tier": f"{self._prefix}renamed"},
            "subscription_changes": lambda: self._rng.choice(
                [
                    {"amount_minor": 700},
                    {"status": "paused"},
                    {"changed_at": self._clock.awkward()},
                ]
            ),
            "invoices": lambda: {"status": "void"},
            "invoice_lines": lambda: {"amount_minor": 4321},
            "payments": lambda: {"amount_minor": 2},
            "refunds": lambda: {"amount_minor": 1, "tax_minor": 0},
            "playback_sessions": lambda: {"watched_seconds": 4444, "subscriber_id": self._other()},
            "titles": lambda: {"runtime_seconds": 60},
            "exchange_rates": lambda: {"rate": Decimal("1.5")},
            "erasure_requests": lambda: {
                "requested_at": row["requested_at"] and row["requested_at"] - HOUR
            },
            "support_tickets": lambda: {"csat_score": 5},
            "survey_responses": lambda: {"score": 3},
            "campaign_touches": lambda: {"offer_code": "BACK"},
            "marketing_spend": lambda: {"amount_minor": 5},
        }
        return {**row, **changes[table]()}

    def _other(self) -> str:
        return f"{self._prefix}p0"

    def _revised(self, table: str, row: Row) -> list[Row]:
        revision = self.changed(table, row)
        return [row, {**revision, "recorded_at": self._later(row)}]

    def _flipped_back(self, table: str, row: Row) -> list[Row]:
        revised = self._revised(table, row)[1]
        return [row, revised, {**row, "recorded_at": self._later(revised)}]

    def _late(self, table: str, row: Row) -> list[Row]:
        del table
        return [{**row, "recorded_at": self._clock.as_of + self._rng.choice([timedelta(0), DAY])}]

    def _early(self, table: str, row: Row) -> list[Row]:
        column = raw_tables()[table].event_time
        if column is None or not isinstance(row[column], datetime):
            return [row]
        lead = timedelta(minutes=5) + self._rng.choice([TICK, SECOND, timedelta(minutes=1)])
        return [{**row, "recorded_at": row[column] - lead}]

    def _with_null(self, table: str, row: Row) -> list[Row]:
        columns = [c.name for c in raw_tables()[table].columns if not c.is_nullable]
        return [{**row, self._rng.choice(columns): None}]

    def _without_key(self, table: str, row: Row) -> list[Row]:
        nameless = {**row, self._rng.choice(raw_tables()[table].key): None}
        return [row, nameless, dict(nameless)]

    def _unrecorded(self, table: str, row: Row) -> list[Row]:
        del table
        return [row, {**row, "recorded_at": None}]

    def _unknown_value(self, table: str, row: Row) -> list[Row]:
        del table
        columns = [c for c in ("status", "kind", "billing_period_unit") if c in row]
        return [{**row, self._rng.choice(columns): "Active"} if columns else row]

    def _unknown_currency(self, table: str, row: Row) -> list[Row]:
        del table
        return [{**row, "currency": "ZZZ"} if "currency" in row else row]

    def _loose(self, table: str, row: Row) -> list[Row]:
        columns = {
            "subscription_changes": ["subscriber_id", "plan_id"],
            "invoices": ["subscriber_id"],
            "invoice_lines": ["invoice_id"],
            "payments": ["invoice_id"],
            "refunds": ["payment_id"],
            "playback_sessions": ["subscriber_id"],
            "support_tickets": ["subscriber_id"],
            "survey_responses": ["subscriber_id"],
            "campaign_touches": ["subscriber_id"],
            "erasure_requests": ["subscriber_id"],
        }.get(table, [])
        return [{**row, self._rng.choice(columns): f"{self._prefix}nobody"} if columns else row]

    def _impossible(self, table: str, row: Row) -> list[Row]:
        changes: dict[str, list[Row]] = {
            "subscription_changes": [{"billing_period_count": 0}, {"amount_minor": -1}],
            "payments": [{"amount_minor": -1}],
            "refunds": [{"amount_minor": -1}, {"amount_minor": 100000}],
            "playback_sessions": [
                {"watched_seconds": -1},
                {"started_at": (row.get("ended_at") or row["recorded_at"]) + SECOND},
            ],
        }
        if table == "invoice_lines" and row["period_start_at"] is not None:
            return [{**row, "period_end_at": row["period_start_at"] - SECOND}]
        return [{**row, **self._rng.choice(changes[table])} if table in changes else row]
