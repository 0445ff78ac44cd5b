"""What the pipeline and the reference disagree about, mart by mart and row by row.

Random ids of erased subscribers are matched by what is told of them; months before anything
happened may be there or not. Nothing else is forgiven.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .intake import ERASED_PREFIX, Raw, Row
from .reference import Marts

KEYS = {
    "row_reconciliation": ("table_name",),
    "quarantined_rows": ("table_name", "row_key", "rule"),
    "fct_subscription_states": ("subscription_id", "valid_from"),
    "fct_subscriber_lifetimes": ("subscriber_id", "lifetime_number"),
    "fct_mrr_movements": ("subscriber_id", "moved_at", "category"),
    "mrr_bridge_monthly": ("month_start", "plan_tier", "country_code", "acquisition_channel"),
    "revenue_monthly": ("month_start",),
    "fct_churn_events": ("subscriber_id", "lifetime_number"),
    "churn_monthly": ("month_start", "plan_tier", "country_code", "acquisition_channel"),
    "retention_cohorts": ("cohort_month", "months_since_start"),
    "survival_curves": ("stratum", "stratum_value", "tenure_days"),
    "viewing_daily": ("subscriber_id", "viewing_date"),
    "fct_subscriber_months": ("subscriber_id", "month_start"),
    "dim_subscribers": ("subscriber_id",),
    "journey_events": ("subscriber_id", "occurred_at", "event_type"),
    "lifecycle_funnel": ("month_start", "stage"),
    "growth_accounting_monthly": ("month_start",),
    "retention_cohorts_by_stratum": (
        "stratum",
        "stratum_value",
        "cohort_month",
        "months_since_start",
    ),
    "win_back_monthly": ("month_start", "churn_type", "months_since_churn"),
    "churn_rate_definitions": ("month_start", "definition"),
    "churn_by_reason_monthly": ("month_start", "circumstance", "circumstance_value"),
    "engagement_monthly": ("month_start", "stratum", "stratum_value"),
    "experience_monthly": ("month_start", "device_type"),
    "title_performance": ("title_id",),
    "tickets_monthly": ("month_start", "topic"),
    "feedback_monthly": ("month_start",),
    "dunning_monthly": ("month_start", "was_past_due"),
    "promotion_performance": ("promotion_code",),
    "clv_cohorts": ("cohort_month", "acquisition_channel"),
    "segment_history": ("month_start", "subscriber_id"),
}

BY_MONTH = (
    "mrr_bridge_monthly",
    "churn_monthly",
    "revenue_monthly",
    "growth_accounting_monthly",
    "churn_rate_definitions",
    "dunning_monthly",
)

RULE_NUMBERS = {
    "event_after_recorded": 1,
    "null_key": 2,
    "null_recorded_at": 2,
    "null_value": 2,
    "unknown_value": 3,
    "unknown_currency": 4,
    "missing_reference": 5,
    "ends_before_start": 6,
    "negative_watched_seconds": 7,
    "out_of_range": 8,
    "refund_above_payment": 9,
}

OF_SUBSCRIBERS = (
    "fct_subscription_states",
    "fct_subscriber_lifetimes",
    "fct_mrr_movements",
    "fct_churn_events",
    "viewing_daily",
    "fct_subscriber_months",
    "dim_subscribers",
    "journey_events",
    "segment_history",
)


@dataclass(frozen=True)
class Difference:
    """One row that is not the same on both sides, None where a side lacks it."""

    mart: str
    key: tuple[Any, ...]
    expected: Row | None
    got: Row | None

    def __str__(self) -> str:
        """Return the difference as a few lines, only of the columns that differ."""
        lines = [f"{self.mart} {_shown(self.key)}"]
        if self.expected is None or self.got is None:
            side = "expected, missing" if self.got is None else "got, not expected"
            lines.append(f"    {side}: {_shown_row(self.expected or self.got or {})}")
            return "\n".join(lines)
        for column, expected in self.expected.items():
            if not _equal(expected, self.got.get(column)):
                got = _shown(self.got.get(column, "no such column"))
                lines.append(f"    {column}: expected {_shown(expected)}, got {got}")
        return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_shown(part) for part in value) + ")"
    return str(value)


def _shown_row(row: Row) -> str:
    return ", ".join(f"{column}={_shown(value)}" for column, value in row.items())


def _equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - two cells
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


def _row_key(value: object) -> str:
    return "|".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def _prepared(marts: Marts) -> Marts:
    """Return the marts with what the contract leaves open made the same."""
    prepared = {}
    for name, rows in marts.items():
        kept = rows
        if name in BY_MONTH:
            kept = _without_empty_start(kept, KEYS[name])
        prepared[name] = kept
    return prepared


def _is_nothing(row: Row, keys: Sequence[str]) -> bool:
    return all(
        value is None or value == 0
        for column, value in row.items()
        if column not in keys and column != "is_complete"
    )


def _without_empty_start(rows: Iterable[Row], keys: Sequence[str]) -> list[Row]:
    """Return the rows of each group from the first month on in which there is anything."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys[1:])].append(row)
    kept = []
    for members in groups.values():
        ordered = sorted(members, key=lambda row: row["month_start"])
        first = next((i for i, row in enumerate(ordered) if not _is_nothing(row, keys)), None)
        kept += [] if first is None else ordered[first:]
    return kept


def _erased_ids(marts: Marts, known: set[str]) -> dict[str, Counter[str]]:
    """Return what is told of each subscriber who is not known, their id left out."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for name in OF_SUBSCRIBERS:
        for row in marts.get(name, []):
            if row["subscriber_id"] not in known:
                facts = sorted((k, str(v)) for k, v in row.items() if k != "subscriber_id")
                told[row["subscriber_id"]][f"{name} {facts}"] += 1
    for row in marts.get("journey_events", []):
        if row["event_type"] == "referred_somebody" and row["detail"] not in known:
            told[row["detail"]][f"brought by {row['subscriber_id']}"] += 1
    return told


def _matched(expected: Marts, got: Marts, known: set[str]) -> dict[str, str]:
    """Return the reference's id for each random one, by what they have most in common."""
    ours = _erased_ids(expected, known)
    theirs = _erased_ids(got, known)
    pairs = sorted(
        (
            (sum((one & other).values()), sum((one | other).values()), our_id, their_id)
            for our_id, one in ours.items()
            for their_id, other in theirs.items()
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2], pair[3]),
    )
    matched: dict[str, str] = {}
    for _, _, our_id, their_id in pairs:
        if their_id not in matched and our_id not in matched.values():
            matched[their_id] = our_id
    return matched


def _columns(expected: Sequence[Row], got: Sequence[Row]) -> list[str]:
    return list(expected[0] if expected else got[0]) if expected or got else []


def differences(expected: Marts, got: Marts, raw: Raw) -> list[Difference]:
    """Return every row in which the marts of the pipeline are not those of the reference."""
    known = {
        str(row["subscriber_id"])
        for rows in raw.values()
        for row in rows
        if row.get("subscriber_id") is not None
    }
    got = {name: _narrowed(got[name], rows) for name, rows in expected.items()}
    matched = _matched(expected, got, known)
    got = {
        name: [
            # who was brought is the detail of an event
            {column: matched.get(value, value) for column, value in row.items()}
            for row in rows
        ]
        for name, rows in got.items()
    }
    expected, got = _prepared(expected), _prepared(got)
    found = []
    for name in expected:
        keys = KEYS[name]
        if name == "quarantined_rows":
            found += _quarantine_differences(expected[name], got[name], known)
        else:
            found += _mart_differences(name, keys, expected[name], got[name])
    return found


def _narrowed(rows: Sequence[Row], expected: Sequence[Row]) -> list[Row]:
    """Return the rows with the columns that the reference knows, all where it has no row."""
    columns = set(_columns(expected, rows))
    return [{k: v for k, v in row.items() if k in columns} for row in rows]


def _by_key(rows: Iterable[Row], keys: Sequence[str]) -> Mapping[tuple[Any, ...], list[Row]]:
    grouped: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        grouped[tuple(row[key] for key in keys)].append(row)
    return grouped


def _mart_differences(
    name: str, keys: Sequence[str], expected: Sequence[Row], got: Sequence[Row]
) -> list[Difference]:
    ours, theirs = _by_key(expected, keys), _by_key(got, keys)
    found = []
    for key in sorted({*ours, *theirs}, key=str):
        # several rows of one key are told in one order
        one, other = (sorted(rows.get(key, []), key=str) for rows in (ours, theirs))
        for index in range(max(len(one), len(other))):
            left = one[index] if index < len(one) else None
            right = other[index] if index < len(other) else None
            same = (
                left is not None
                and right is not None
                and all(_equal(value, right.get(column)) for column, value in left.items())
            )
            if not same:
                found.append(Difference(name, key, left, right))
    return found


def _quarantine_differences(
    expected: Sequence[Row], got: Sequence[Row], known: set[str]
) -> list[Difference]:
    """Compare how often each key broke each rule; a null or erased key has no name to compare."""

    def tally(rows: Sequence[Row]) -> Counter[tuple[Any, ...]]:
        return Counter(
            (
                row["table_name"],
                _nameable(row, known),
                RULE_NUMBERS.get(row["rule"], row["rule"]),
            )
            for row in rows
        )

    ours, theirs = tally(expected), tally(got)
    return [
        Difference(
            "quarantined_rows",
            key,
            {"rows": ours[key]} if key in ours else None,
            {"rows": theirs[key]} if key in theirs else None,
        )
        for key in sorted({*ours, *theirs}, key=str)
        if ours[key] != theirs[key]
    ]


def _nameable(row: Row, known: set[str]) -> str:
    key = row["row_key"]
    if key is None or (isinstance(key, tuple) and None in key):
        return "null key"
    text = _row_key(key)
    if row["table_name"] in ("subscribers", "erasure_requests") and (
        text.startswith(ERASED_PREFIX) or text not in known
    ):
        return "erased id"
    return text
