"""Raw rows in few words: every column has an unremarkable value unless the story gives one.

Belongs to the hand-worked cases and to the random services alike; no story is told here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from .intake import Row
from .tables import raw_tables

RawRows = dict[str, list[Row]]

EPOCH = datetime(2010, 1, 1, tzinfo=UTC)

DEFAULTS: dict[str, Row] = {
    "subscribers": {"country_code": "US", "acquisition_channel": "organic"},
    "plans": {"plan_id": "basic", "plan_name": "Basic", "plan_tier": "basic"},
    "subscription_changes": {
        "status": "active",
        "plan_id": "basic",
        "billing_period_unit": "month",
        "billing_period_count": 1,
        "amount_minor": 1000,
        "currency": "USD",
    },
    "invoices": {"status": "paid", "currency": "USD", "total_minor": 1000, "tax_minor": 0},
    "invoice_lines": {"kind": "subscription", "tax_minor": 0, "discount_minor": 0},
    "payments": {"status": "succeeded", "currency": "USD", "method": "card", "fee_minor": 0},
    "refunds": {"kind": "refund", "currency": "USD", "tax_minor": 0},
    "playback_sessions": {"device_type": "tv", "end_cause": "stopped"},
    "titles": {"title_name": "A title", "content_type": "movie", "genre": "drama"},
    "support_tickets": {"topic": "billing"},
    "survey_responses": {"kind": "nps", "score": 9},
    "campaign_touches": {"campaign_id": "hello", "channel": "email", "purpose": "engagement"},
    "marketing_spend": {
        "acquisition_channel": "organic",
        "country_code": "US",
        "amount_minor": 100,
        "currency": "USD",
    },
}

BY_TYPE = {"boolean": False, "bigint": 1, "decimal(27,18)": Decimal(1)}


def at(text: str) -> datetime:
    """Return the UTC instant that `text` names, such as `2026-03-01` or `2026-03-01 10:40`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def row(table: str, **given: Any) -> Row:  # noqa: ANN401 - a cell is of its column's type
    """Return a whole row of `table`: what is given, and for the rest nothing remarkable.

    Text is read as an instant or a date where the column is one. A row is recorded one second
    after its own event, or long ago where it has none.
    """
    declared = raw_tables()[table]
    found: Row = {}
    for column in declared.columns:
        value = None if column.is_nullable else BY_TYPE.get(column.data_type)
        value = DEFAULTS.get(table, {}).get(column.name, value)
        value = given.pop(column.name, value)
        if isinstance(value, str) and column.data_type == "timestamp":
            value = at(value)
        if isinstance(value, str) and column.data_type.startswith("decimal"):
            value = Decimal(value)
        if isinstance(value, str) and column.data_type == "date":
            value = date.fromisoformat(value)
        found[column.name] = value
    if given:
        message = f"{table} has no columns {sorted(given)}"
        raise TypeError(message)
    return found


def told(table: str, **given: Any) -> Row:  # noqa: ANN401 - a cell is of its column's type
    """Return a row of `table` that was recorded a second after it happened, unless given."""
    found = row(table, **given)
    if "recorded_at" not in given:
        event_column = raw_tables()[table].event_time
        happened = None if event_column is None else found[event_column]
        if isinstance(happened, datetime):
            found["recorded_at"] = happened + timedelta(seconds=1)
        elif isinstance(happened, date):
            # later than the first instant of that day anywhere
            found["recorded_at"] = datetime(
                happened.year, happened.month, happened.day, 18, tzinfo=UTC
            )
        else:
            found["recorded_at"] = EPOCH
    return found


def subscriber(subscriber_id: str = "ana", **given: Any) -> Row:  # noqa: ANN401 - see `row`
    """Return a subscriber who signed up at the epoch of the stories."""
    given.setdefault("signed_up_at", EPOCH)
    return told("subscribers", subscriber_id=subscriber_id, **given)


def change(changed_at: str | datetime, **given: Any) -> Row:  # noqa: ANN401 - see `row`
    """Return a change of ana's subscription `s1`: active, 10 dollars a month, unless given."""
    given.setdefault("subscriber_id", "ana")
    given.setdefault("subscription_id", "s1")
    given.setdefault("change_id", f"{given['subscription_id']} {changed_at}")
    return told("subscription_changes", changed_at=changed_at, **given)


def service(rows: Iterable[tuple[str, Row]]) -> RawRows:
    """Return the rows by table, every table of the contract among them."""
    raw: RawRows = {name: [] for name in raw_tables()}
    for table, found in rows:
        raw[table].append(found)
    return raw


def subscription_story(*changes: Row, **others: list[Row]) -> RawRows:
    """Return a service of these changes, of whoever is in them, on a basic and a premium plan."""
    people = sorted({found["subscriber_id"] for found in changes} - {None})
    raw = service([])
    raw["subscribers"] = [subscriber(person) for person in people]
    raw["plans"] = [told("plans"), told("plans", plan_id="premium", plan_tier="premium")]
    raw["subscription_changes"] = list(changes)
    return raw | others
