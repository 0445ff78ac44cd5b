"""The comparison itself: that it sees what is wrong, and forgives what it may and nothing else."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from uuid import uuid4

import pytest

from .compare import KEYS, Difference, differences
from .intake import ERASED_PREFIX, Raw
from .project_marts import build_all_marts
from .reference import Marts, Settings, build_marts
from .shrink import culprits, shortest_story
from .stories import at, change, subscription_story, told
from .strategies import ZONES, Run, make_run


@pytest.fixture(scope="module")
def run() -> Run:
    return make_run(3, "America/New_York", 5)


@pytest.fixture(scope="module")
def expected(run: Run) -> Marts:
    return build_all_marts(run.raw, run.settings)


def test_what_is_the_same_has_no_differences(run: Run, expected: Marts) -> None:
    assert differences(expected, deepcopy(expected), run.raw) == []


@pytest.mark.parametrize("mart", sorted(KEYS))
def test_a_row_more_and_a_row_less_are_seen(run: Run, expected: Marts, mart: str) -> None:
    less = {**expected, mart: list(expected[mart])}
    # the last month, since a month before anything happened may be missing
    gone = max(less[mart], key=lambda row: str(row.get("month_start")))
    less[mart].remove(gone)
    assert {d.mart for d in differences(expected, less, run.raw)} == {mart}
    more = {**expected, mart: list(expected[mart])}
    more[mart].append(dict(gone))
    assert {d.mart for d in differences(expected, more, run.raw)} == {mart}


@pytest.mark.parametrize("mart", sorted(set(KEYS) - {"quarantined_rows"}))
def test_every_column_that_is_off_is_seen(run: Run, expected: Marts, mart: str) -> None:
    for column in set(expected[mart][0]) - set(KEYS[mart]):
        off = {**expected, mart: deepcopy(expected[mart])}
        row = max(off[mart], key=lambda row: str(row.get("month_start")))
        value = row[column]
        if isinstance(value, bool):
            row[column] = not value
        elif isinstance(value, Decimal):
            row[column] = value + Decimal("0.0001")
        elif isinstance(value, int | float):
            row[column] = value + abs(value) + 1
        else:
            row[column] = "something else"
        (difference,) = differences(expected, off, run.raw)
        assert column in str(difference)


def test_random_ids_are_known_by_what_is_told_of_them() -> None:
    raw = subscription_story(
        change("2026-01-10"),
        change("2026-02-10", subscriber_id="ben", subscription_id="s2"),
        change("2026-06-10", subscriber_id="ben", subscription_id="s2", status="ended"),
    )
    raw["erasure_requests"] = [
        told("erasure_requests", subscriber_id=name, requested_at="2026-07-01")
        for name in ("ana", "ben")
    ]
    ours = build_marts(raw, Settings(as_of=at("2026-11-22")))
    names = {f"{ERASED_PREFIX}{name}": str(uuid4()) for name in ("ana", "ben")}
    theirs = {
        mart: [
            {**row, "subscriber_id": names.get(row["subscriber_id"], row["subscriber_id"])}
            if "subscriber_id" in row
            else row
            for row in rows
        ]
        for mart, rows in ours.items()
    }
    assert differences(ours, theirs, raw) == []
    for row in theirs["fct_subscriber_lifetimes"]:
        row["subscriber_id"] = names[f"{ERASED_PREFIX}ana"]
    assert differences(ours, theirs, raw) != []


def with_pauses_read_as_ends(raw: Raw) -> Raw:
    return {
        table: [
            {**row, "status": "ended"} if row.get("status") == "paused" else row for row in rows
        ]
        for table, rows in raw.items()
    }


def test_a_failure_shrinks_to_the_rows_that_make_it() -> None:
    def compare(run: Run) -> list[Difference]:
        wrong = build_marts(with_pauses_read_as_ends(run.raw), run.settings)
        return differences(build_marts(run.raw, run.settings), wrong, run.raw)

    run = make_run(3, ZONES[1], 12)
    found = compare(run)
    story, left = shortest_story(run, culprits(run, found)[0], compare)
    assert left
    # somebody, a plan, and the pause
    assert {table: len(rows) for table, rows in story.items() if rows} == {
        "subscribers": 1,
        "plans": 1,
        "subscription_changes": 1,
    }
