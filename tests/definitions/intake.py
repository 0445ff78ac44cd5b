"""What becomes of every raw row: where it ends, and what is accepted.

Judges rows and nothing else; what accepted rows mean is told in `timeline` and `reference`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from .local_time import LocalCalendar
from .money import MINOR_DIGITS
from .tables import Table, raw_tables

Row = dict[str, Any]
Raw = Mapping[str, list[Row]]

CLOCK_TABLES = ("subscription_changes", "payments", "playback_sessions")

ALLOWED_LEAD = timedelta(minutes=5)

CLOSED_LISTS = {
    ("subscription_changes", "status"): {"trialing", "active", "past_due", "paused", "ended"},
    ("subscription_changes", "billing_period_unit"): {"day", "week", "month", "year"},
    ("invoices", "status"): {"draft", "open", "paid", "void", "uncollectible"},
    ("invoice_lines", "kind"): {"subscription", "proration", "add_on", "one_off"},
    ("payments", "status"): {"succeeded", "failed"},
    ("refunds", "kind"): {"refund", "chargeback", "chargeback_reversal"},
    ("survey_responses", "kind"): {"nps", "csat"},
}

DESCRIPTIVE_LISTS = {
    ("subscription_changes", "end_reason"): {
        "cancelled",
        "payment_failed",
        "trial_expired",
        "gift_ended",
        "refunded",
        "admin",
    },
    ("subscription_changes", "cancel_feedback"): {
        "price",
        "content",
        "quality",
        "competitor",
        "seasonal",
        "technical",
        "other",
    },
    ("payments", "method"): {
        "card",
        "direct_debit",
        "wallet",
        "app_store",
        "carrier",
        "voucher",
    },
    ("playback_sessions", "device_type"): {"tv", "mobile", "tablet", "web", "console"},
    ("playback_sessions", "end_cause"): {"completed", "stopped", "error", "startup_failure"},
    ("titles", "content_type"): {"movie", "episode", "live", "clip"},
    ("support_tickets", "topic"): {"billing", "playback", "account", "content", "other"},
    ("campaign_touches", "channel"): {"email", "push", "in_app", "sms"},
    ("campaign_touches", "purpose"): {
        "onboarding",
        "engagement",
        "save",
        "win_back",
        "upsell",
        "loyalty",
    },
}

ORDERED_PAIRS = {
    "playback_sessions": ("started_at", "ended_at"),
    "invoice_lines": ("period_start_at", "period_end_at"),
    "support_tickets": ("opened_at", "resolved_at"),
}

NEVER_NEGATIVE = ("subscription_changes", "payments", "refunds")

ERASED_PREFIX = "erased:"

# a table comes after those that it refers to
ORDER = (
    "subscribers",
    "plans",
    "titles",
    "subscription_changes",
    "invoices",
    "invoice_lines",
    "payments",
    "refunds",
    "exchange_rates",
    "playback_sessions",
    "support_tickets",
    "survey_responses",
    "campaign_touches",
    "marketing_spend",
    "erasure_requests",
)

PARENTS = {
    "invoice_lines": ("invoice_id", "invoices"),
    "payments": ("invoice_id", "invoices"),
    "refunds": ("payment_id", "payments"),
}


@dataclass
class Intake:
    """Where every raw row ended, and the accepted ones with erased ids replaced.

    `counts` has, a table, the rows by disposition; `quarantined` a row for each quarantined one.
    An erased id is written `erased:` and the old id, which stands for any random one.
    """

    as_of: datetime | None
    accepted: dict[str, list[Row]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    quarantined: list[Row] = field(default_factory=list)


def default_as_of(raw: Raw) -> datetime | None:
    """Return the next full second after the newest record, or None where there is none."""
    newest = max(
        (
            row["recorded_at"]
            for table in CLOCK_TABLES
            for row in raw.get(table, [])
            if row["recorded_at"] is not None
        ),
        default=None,
    )
    return None if newest is None else newest.replace(microsecond=0) + timedelta(seconds=1)


def own_event_time(table: Table, row: Row, calendar: LocalCalendar) -> datetime | None:
    """Return when the row's own event happened, None where it has none or it is null."""
    if table.event_time is None or row[table.event_time] is None:
        return None
    value = row[table.event_time]
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return calendar.first_instant(value)
    message = f"{table.name}.{table.event_time} is neither a date nor an instant"
    raise TypeError(message)


def _same_but_for_recording(one: Row, other: Row) -> bool:
    return all(one[column] == other[column] for column in one if column != "recorded_at")


def is_beyond(table: Table, row: Row, as_of: datetime | None, calendar: LocalCalendar) -> bool:
    """Return whether a row was recorded or happened at or after `as_of`."""
    if as_of is None:
        return False
    happened_at = own_event_time(table, row, calendar)
    recorded_at = row["recorded_at"]
    return (recorded_at is not None and recorded_at >= as_of) or (
        happened_at is not None and happened_at >= as_of
    )


class _Judge:
    """The row-level rules, over what was accepted so far."""

    def __init__(self, accepted: Mapping[str, list[Row]], calendar: LocalCalendar) -> None:
        self._accepted = accepted
        self._calendar = calendar
        self._by_key: dict[str, dict[str, Row]] = {}

    def broken_rule(self, table: Table, row: Row) -> int | None:
        """Return the number of the first rule that the row breaks, None where it breaks none."""
        rules: list[tuple[int, Callable[[Table, Row], bool]]] = [
            (1, self._is_early),
            (2, self._has_null),
            (3, self._has_unknown_value),
            (4, self._has_unknown_currency),
            (5, self._hangs_loose),
            (6, self._ends_before_it_starts),
            (7, self._was_watched_less_than_nothing),
            (8, self._has_impossible_number),
            (9, self._gives_back_more_than_was_paid),
        ]
        return next((number for number, is_broken in rules if is_broken(table, row)), None)

    def _is_early(self, table: Table, row: Row) -> bool:
        happened_at = own_event_time(table, row, self._calendar)
        return happened_at is not None and happened_at - row["recorded_at"] > ALLOWED_LEAD

    def _has_null(self, table: Table, row: Row) -> bool:
        return any(row[c.name] is None for c in table.columns if not c.is_nullable)

    def _has_unknown_value(self, table: Table, row: Row) -> bool:
        return any(
            row[column] is not None and row[column] not in values
            for (name, column), values in CLOSED_LISTS.items()
            if name == table.name
        )

    def _has_unknown_currency(self, table: Table, row: Row) -> bool:
        return "currency" in table.column_names and row["currency"] not in MINOR_DIGITS

    def _hangs_loose(self, table: Table, row: Row) -> bool:
        if table.name in PARENTS:
            column, parent = PARENTS[table.name]
            return not self._is_accepted(parent, column, row[column])
        if table.name == "subscription_changes" and not self._is_accepted(
            "plans", "plan_id", row["plan_id"]
        ):
            return True
        if table.name == "subscribers" or "subscriber_id" not in table.column_names:
            return False
        return not self._is_accepted("subscribers", "subscriber_id", row["subscriber_id"])

    def _accepted_row(self, table_name: str, column: str, value: str) -> Row | None:
        # a table is complete once another one asks for its rows
        if table_name not in self._by_key:
            self._by_key[table_name] = {row[column]: row for row in self._accepted[table_name]}
        return self._by_key[table_name].get(value)

    def _is_accepted(self, table_name: str, column: str, value: str) -> bool:
        return self._accepted_row(table_name, column, value) is not None

    def _ends_before_it_starts(self, table: Table, row: Row) -> bool:
        if table.name not in ORDERED_PAIRS:
            return False
        start, end = (row[column] for column in ORDERED_PAIRS[table.name])
        return start is not None and end is not None and end < start

    def _was_watched_less_than_nothing(self, table: Table, row: Row) -> bool:
        return table.name == "playback_sessions" and row["watched_seconds"] < 0

    def _has_impossible_number(self, table: Table, row: Row) -> bool:
        if table.name == "subscription_changes" and row["billing_period_count"] < 1:
            return True
        if table.name in NEVER_NEGATIVE:
            return bool(row["amount_minor"] < 0)
        return table.name == "exchange_rates" and not row["rate"] > 0

    def _gives_back_more_than_was_paid(self, table: Table, row: Row) -> bool:
        if table.name != "refunds":
            return False
        payment = self._accepted_row("payments", "payment_id", row["payment_id"])
        return payment is not None and bool(row["amount_minor"] > payment["amount_minor"])


def _read_lists(table: Table, row: Row) -> Row:
    """Return the row with the unknown values of lists that only describe read as `other`."""
    return {
        column: "other"
        if value is not None and value not in DESCRIPTIVE_LISTS.get((table.name, column), {value})
        else value
        for column, value in row.items()
    }


def _newest_versions(table: Table, rows: Iterable[Row]) -> tuple[list[Row], int, int]:
    """Return the newest version of each key, with the number of duplicates and of superseded."""
    versions: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        versions.setdefault(tuple(row[column] for column in table.key), []).append(row)
    winners, duplicates, superseded = [], 0, 0
    for candidates in versions.values():
        winner = max(candidates, key=lambda row: row["recorded_at"])
        copies = sum(_same_but_for_recording(winner, row) for row in candidates)
        winners.append(winner)
        duplicates += copies - 1
        superseded += len(candidates) - copies
    return winners, duplicates, superseded


def _row_key(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in table.key)


class _Gate:
    """The way of every raw row to the one place where it ends."""

    def __init__(
        self,
        raw: Raw,
        as_of: datetime | None,
        calendar: LocalCalendar,
    ) -> None:
        self._raw = raw
        self._calendar = calendar
        self.intake = Intake(as_of=as_of)
        self._judge = _Judge(self.intake.accepted, calendar)

    def run(self) -> Intake:
        """Return the intake of all tables."""
        for name in ORDER:
            self._pass_table(raw_tables()[name])
        return self.intake

    def _pass_table(self, table: Table) -> None:
        rows = self._raw.get(table.name, [])
        visible = [
            row for row in rows if not is_beyond(table, row, self.intake.as_of, self._calendar)
        ]
        keyed = []
        for row in visible:
            if row["recorded_at"] is None or None in _row_key(table, row):
                self._quarantine(table, row, rule=2)
            else:
                keyed.append(row)
        winners, duplicates, superseded = _newest_versions(table, keyed)
        accepted = []
        for row in winners:
            rule = self._judge.broken_rule(table, row)
            if rule is None:
                accepted.append(_read_lists(table, row))
            else:
                self._quarantine(table, row, rule=rule)
        self.intake.accepted[table.name] = accepted
        self.intake.counts[table.name] = {
            "raw_rows": len(rows),
            "accepted_rows": len(accepted),
            "duplicate_rows": duplicates,
            "superseded_rows": superseded,
            "quarantined_rows": len(visible) - len(accepted) - duplicates - superseded,
            "beyond_as_of_rows": len(rows) - len(visible),
        }

    def _quarantine(self, table: Table, row: Row, *, rule: int) -> None:
        self.intake.quarantined.append(
            {
                "table_name": table.name,
                "row_key": _row_key(table, row),
                "rule": rule,
                "row": row,
            }
        )


def _people(raw_rows: Sequence[Row], intake: Intake, split: _Split) -> list[Row]:
    """Return the accepted subscribers, an erased one and a newcomer under one id each apart.

    Each of the two is described by the newest row of its own time, and by the accepted row of
    their common id where it left none: no sum may move to another country.
    """
    table = raw_tables()["subscribers"]
    people = []
    for accepted in intake.accepted["subscribers"]:
        old_id = accepted["subscriber_id"]
        for identity in sorted(split.identities(old_id)):
            own = [
                row
                for row in raw_rows
                if row["subscriber_id"] == old_id
                and row["recorded_at"] is not None
                and not split.is_beyond(table, row)
                and split.renamed(table, row)["subscriber_id"] == identity
            ]
            newest = max(own, key=lambda row: row["recorded_at"], default=accepted)
            people.append({**newest, "subscriber_id": identity})
    return people


class _Split:
    """The requests to be forgotten, and which of the two subscribers of an id a row is about."""

    def __init__(self, intake: Intake, calendar: LocalCalendar) -> None:
        self._as_of = intake.as_of
        self._calendar = calendar
        self._requests = {
            row["subscriber_id"]: row["requested_at"] for row in intake.accepted["erasure_requests"]
        }

    def identities(self, old_id: str) -> set[str]:
        """Return the ids that rows of `old_id` may get."""
        return {old_id, ERASED_PREFIX + old_id} if old_id in self._requests else {old_id}

    def is_beyond(self, table: Table, row: Row) -> bool:
        """Return whether the row does not exist yet."""
        return is_beyond(table, row, self._as_of, self._calendar)

    def renamed(self, table: Table, row: Row) -> Row:
        """Return the row under the id of the subscriber that it belongs to."""
        if table.name == "erasure_requests" or "subscriber_id" not in row:
            return row
        requested_at = self._requests.get(row["subscriber_id"])
        happened_at = own_event_time(table, row, self._calendar)
        if requested_at is None or (happened_at is not None and happened_at >= requested_at):
            return row
        return {**row, "subscriber_id": ERASED_PREFIX + row["subscriber_id"]}

    def renamed_key(self, table: Table, quarantined: Row) -> tuple[Any, ...]:
        """Return the key of a quarantined row, which in two tables is itself a name."""
        key: tuple[Any, ...] = quarantined["row_key"]
        if table.name == "subscribers":
            return (self.renamed(table, quarantined["row"])["subscriber_id"],)
        if table.name == "erasure_requests" and key[0] in self._requests:
            return (ERASED_PREFIX + key[0],)
        return key


def take_in(raw: Raw, as_of: datetime | None, calendar: LocalCalendar) -> Intake:
    """Return where every row ends and what is accepted, erased ids replaced.

    Rows are judged under the ids that they came with, so that a request to be forgotten changes
    no count; the names are taken away afterwards.
    """
    as_of = default_as_of(raw) if as_of is None else as_of
    intake = _Gate(raw, as_of, calendar).run()
    split = _Split(intake, calendar)
    people = _people(raw.get("subscribers", []), intake, split)
    for name, rows in intake.accepted.items():
        table = raw_tables()[name]
        intake.accepted[name] = [split.renamed(table, row) for row in rows]
    intake.accepted["subscribers"] = people
    for row in intake.quarantined:
        row["row_key"] = split.renamed_key(raw_tables()[row["table_name"]], row)
    return intake


def forgotten_names(raw: Raw, intake: Intake, calendar: LocalCalendar) -> set[str]:
    """Return the erased ids that nobody bears any more: no row of theirs is a newcomer's."""
    split = _Split(intake, calendar)
    erased = {
        str(row["subscriber_id"]).removeprefix(ERASED_PREFIX)
        for row in intake.accepted["subscribers"]
        if str(row["subscriber_id"]).startswith(ERASED_PREFIX)
    }
    newcomers = {
        row["subscriber_id"]
        for name, rows in raw.items()
        for row in rows
        if name != "erasure_requests"
        and "subscriber_id" in row
        and split.renamed(raw_tables()[name], row) is row
    }
    return erased - newcomers
