"""Marts in few words, for the hand-worked cases: what happened, as text that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .intake import Row
from .reference import Marts, Settings, build_marts
from .stories import at

AS_OF = at("2026-11-22")


def marts_of(
    raw: Mapping[str, list[Row]],
    *,
    as_of: datetime | None = AS_OF,
    zone: str = "UTC",
    churn_grace_hours: int = 24,
) -> Marts:
    """Return the reference's marts under the vars that the cases are told in."""
    return build_marts(
        raw,
        Settings(as_of=as_of, reporting_timezone=zone, churn_grace_hours=churn_grace_hours),
    )


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")


def movements(marts: Marts, subscriber_id: str = "ana") -> list[tuple[str | None, str, str]]:
    """Return when, category and amount of one subscriber's movements, in order."""
    rows = [row for row in marts["fct_mrr_movements"] if row["subscriber_id"] == subscriber_id]
    return [
        (_instant(row["moved_at"]), row["category"], str(row["mrr_change_amount"]))
        for row in sorted(rows, key=lambda row: (row["moved_at"], row["category"] != "fx"))
    ]


def lifetimes(
    marts: Marts, subscriber_id: str = "ana"
) -> list[tuple[str | None, str | None, str | None]]:
    """Return start, end and end type of one subscriber's lifetimes, in order."""
    rows = [
        row for row in marts["fct_subscriber_lifetimes"] if row["subscriber_id"] == subscriber_id
    ]
    return [
        (_instant(row["started_at"]), _instant(row["ended_at"]), row["end_type"])
        for row in sorted(rows, key=lambda row: row["lifetime_number"])
    ]


def months(marts: Marts, mart: str, column: str, **only: object) -> dict[str, object]:
    """Return a column of a mart by month, as `2026-03`, summed over the rows of a month."""
    found: dict[str, object] = {}
    for row in sorted(marts[mart], key=lambda row: row["month_start"]):
        if all(row[key] == value for key, value in only.items()):
            month = row["month_start"].strftime("%Y-%m")
            found[month] = found[month] + row[column] if month in found else row[column]
    return found


def amounts(
    marts: Marts, mart: str, column: str, *, of: Sequence[str] = (), **only: object
) -> dict[str, str]:
    """Return an amount of a mart by month, as text; those that are not 0, unless asked for."""
    found = months(marts, mart, column, **only)
    return {month: str(value) for month, value in found.items() if value or month in of}


def ends(marts: Marts, table: str) -> dict[str, int]:
    """Return where the rows of a raw table ended, those places where any did."""
    row = next(row for row in marts["row_reconciliation"] if row["table_name"] == table)
    return {
        place.removesuffix("_rows"): count
        for place, count in row.items()
        if place not in ("table_name", "raw_rows") and count
    }


def rules(marts: Marts) -> list[tuple[str, str, int]]:
    """Return table, key and rule of what was quarantined, a null key as nothing."""
    return sorted(
        (row["table_name"], row["row_key"][0] or "", row["rule"])
        for row in marts["quarantined_rows"]
    )
