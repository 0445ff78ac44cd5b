"""How rows arrive, worked out by hand: versions, lateness, every broken rule, and erasure."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from .intake import Row, default_as_of
from .reading import ends, lifetimes, marts_of, movements, rules
from .stories import at, change, service, subscriber, subscription_story, told

SECOND = timedelta(seconds=1)


def session(session_id: str = "v1", when: str = "2026-05-01 20:00", **given: object) -> Row:
    given.setdefault("subscriber_id", "ana")
    given.setdefault("watched_seconds", 60)
    given.setdefault("started_at", when)
    given.setdefault("ended_at", when)
    return told("playback_sessions", session_id=session_id, **given)


def later(row: Row, seconds: int, **changes: object) -> Row:
    return {**row, **changes, "recorded_at": row["recorded_at"] + seconds * SECOND}


def test_an_equal_copy_is_a_duplicate_and_another_version_superseded() -> None:
    first = change("2026-05-01", change_id="c1")
    story = subscription_story(
        first, dict(first), later(first, 5), later(first, 9, amount_minor=2000)
    )
    marts = marts_of(story)
    assert ends(marts, "subscription_changes") == {"accepted": 1, "superseded": 3}
    assert movements(marts) == [("2026-05-01", "new", "20.0000")]


def test_what_flips_back_is_a_copy_of_the_newest_version() -> None:
    first = change("2026-05-01", change_id="c1")
    story = subscription_story(first, later(first, 5, amount_minor=2000), later(first, 9))
    marts = marts_of(story)
    assert ends(marts, "subscription_changes") == {
        "accepted": 1,
        "duplicate": 1,
        "superseded": 1,
    }
    assert movements(marts) == [("2026-05-01", "new", "10.0000")]


def test_an_accepted_row_carries_the_newest_time_of_its_copies() -> None:
    # recorded ten minutes early at first, which the copy makes good
    early = change("2026-05-01", change_id="c1", recorded_at="2026-04-30 23:50")
    assert lifetimes(marts_of(subscription_story(early))) == []
    assert lifetimes(marts_of(subscription_story(early, later(early, 600)))) == [
        ("2026-05-01", None, None)
    ]


@pytest.mark.parametrize(
    ("recorded_at", "is_accepted"),
    [("2026-04-30 23:55", True), ("2026-04-30 23:56", True), ("2026-04-30 23:54", False)],
)
def test_an_event_may_be_five_minutes_ahead_of_its_record(
    recorded_at: str,
    is_accepted: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    marts = marts_of(
        subscription_story(change("2026-05-01", change_id="c", recorded_at=recorded_at))
    )
    assert rules(marts) == ([] if is_accepted else [("subscription_changes", "c", 1)])


def test_what_is_recorded_or_happens_at_as_of_does_not_exist_yet() -> None:
    as_of = at("2026-06-01")
    story = subscription_story(
        change("2026-05-01"),
        change("2026-05-02", amount_minor=2000, recorded_at="2026-06-01"),
        change("2026-06-01", amount_minor=3000, recorded_at="2026-05-31 23:59"),
        # a null key that is not there yet is no fault yet
        change("2026-05-02", recorded_at="2026-06-01") | {"change_id": None},
    )
    marts = marts_of(story, as_of=as_of)
    assert ends(marts, "subscription_changes") == {"accepted": 1, "beyond_as_of": 3}
    assert movements(marts) == [("2026-05-01", "new", "10.0000")]


def test_a_row_without_a_key_or_a_record_is_quarantined_each_time_it_comes() -> None:
    nameless = change("2026-05-01") | {"change_id": None}
    unrecorded = change("2026-05-01", change_id="c1") | {"recorded_at": None}
    marts = marts_of(subscription_story(nameless, dict(nameless), unrecorded))
    assert ends(marts, "subscription_changes") == {"quarantined": 3}
    assert rules(marts) == [
        ("subscription_changes", "", 2),
        ("subscription_changes", "", 2),
        ("subscription_changes", "c1", 2),
    ]


def test_the_clock_is_the_next_full_second_after_the_newest_record() -> None:
    raw = subscription_story(
        change("2026-05-01", recorded_at="2026-05-01 00:00:07"),
        playback_sessions=[session(recorded_at="2026-05-01 21:00:00.25")],
    )
    # a newer record in another table moves no clock
    raw["subscribers"][0]["recorded_at"] = at("2026-05-01 21:30")
    assert default_as_of(raw) == at("2026-05-01 21:00:01")
    raw["payments"] = [told("payments", payment_id="y", recorded_at="2026-05-02")]
    assert default_as_of(raw) == at("2026-05-02 00:00:01")
    assert default_as_of(service([])) is None


BROKEN: list[tuple[str, Row, int]] = [
    ("subscription_changes", {"plan_id": None}, 2),
    ("subscription_changes", {"status": "Active"}, 3),
    ("subscription_changes", {"billing_period_unit": "fortnight"}, 3),
    ("subscription_changes", {"currency": "ZZZ"}, 4),
    ("subscription_changes", {"plan_id": "nowhere"}, 5),
    ("subscription_changes", {"subscriber_id": "nobody"}, 5),
    ("subscription_changes", {"billing_period_count": 0}, 8),
    ("subscription_changes", {"amount_minor": -1}, 8),
    ("playback_sessions", {"started_at": at("2026-05-01 20:00:01")}, 6),
    ("playback_sessions", {"watched_seconds": -1}, 7),
    ("playback_sessions", {"subscriber_id": "nobody"}, 5),
]


@pytest.mark.parametrize(("table", "fault", "rule"), BROKEN)
def test_a_broken_rule_quarantines_its_row(table: str, fault: Row, rule: int) -> None:
    good = {
        "subscription_changes": [change("2026-05-01", change_id="good")],
        "playback_sessions": [session("good")],
    }
    bad = {
        "subscription_changes": change("2026-05-02", change_id="bad") | fault,
        "playback_sessions": session("bad") | fault,
    }
    story = subscription_story(subscribers=[subscriber()], **good)
    story[table] = [*story[table], bad[table]]
    assert rules(marts_of(story)) == [(table, "bad", rule)]


def test_a_fault_takes_down_all_that_hangs_on_it() -> None:
    story = subscription_story(
        subscribers=[subscriber(country_code="US") | {"signed_up_at": None}],
        invoices=[told("invoices", invoice_id="i", subscriber_id="ana", issued_at="2026-05-01")],
        invoice_lines=[told("invoice_lines", invoice_line_id="l", invoice_id="i", amount_minor=1)],
        payments=[told("payments", payment_id="y", invoice_id="i", attempted_at="2026-05-01")],
        refunds=[told("refunds", refund_id="r", payment_id="y", refunded_at="2026-05-02")],
        playback_sessions=[session()],
    )
    assert rules(marts_of(story)) == [
        ("invoice_lines", "l", 5),
        ("invoices", "i", 5),
        ("payments", "y", 5),
        ("playback_sessions", "v1", 5),
        ("refunds", "r", 5),
        ("subscribers", "ana", 2),
    ]


def test_what_only_describes_is_read_as_other() -> None:
    story = subscription_story(
        change("2026-05-01"),
        change("2026-06-01", status="ended", end_reason="moon", cancel_feedback="loud"),
    )
    (lifetime,) = marts_of(story)["fct_subscriber_lifetimes"]
    assert (lifetime["end_reason"], lifetime["cancel_feedback"]) == ("other", "other")


def test_rows_wait_for_a_subscriber_who_is_known_later() -> None:
    known = subscriber(recorded_at="2026-06-10")
    story = subscription_story(change("2026-05-01", change_id="c"), subscribers=[known])
    before = marts_of(story, as_of=at("2026-06-10"))
    assert rules(before) == [("subscription_changes", "c", 5)]
    after = marts_of(story, as_of=at("2026-06-11"))
    assert lifetimes(after) == [("2026-05-01", None, None)]


def test_an_erased_subscriber_goes_on_under_another_id_and_a_returner_keeps_the_old() -> None:
    raw = subscription_story(
        change("2026-01-10"),
        change("2026-03-10", status="ended"),
        change("2026-06-10", subscription_id="s2"),
    )
    raw["subscribers"].append(subscriber(signed_up_at="2026-06-09", country_code="BR"))
    counted = marts_of(raw)
    raw["erasure_requests"] = [
        told("erasure_requests", subscriber_id="ana", requested_at="2026-04-01")
    ]
    marts = marts_of(raw)
    assert lifetimes(marts) == [("2026-06-10", None, None)]
    assert lifetimes(marts, "erased:ana") == [("2026-01-10", "2026-03-10", "voluntary")]
    # they are two people now, each the first time here, each with a country
    assert [r["lifetime_number"] for r in marts["fct_subscriber_lifetimes"]] == [1, 1]
    assert {
        (r["country_code"], str(r["month_start"]))
        for r in marts["churn_monthly"]
        if r["new_subscribers"]
    } == {("US", "2026-01-01"), ("BR", "2026-06-01")}
    assert [ends(marts, t) for t in ("subscribers", "subscription_changes")] == [
        ends(counted, t) for t in ("subscribers", "subscription_changes")
    ]


def test_a_request_that_is_quarantined_erases_nothing() -> None:
    request = told(
        "erasure_requests",
        subscriber_id="ana",
        requested_at="2026-04-01",
        recorded_at="2026-03-31 23:50",
    )
    marts = marts_of(subscription_story(change("2026-01-10"), erasure_requests=[request]))
    assert rules(marts) == [("erasure_requests", "ana", 1)]
    assert lifetimes(marts) == [("2026-01-10", None, None)]


def test_a_request_that_a_bad_version_replaces_erases_nothing() -> None:
    request = told("erasure_requests", subscriber_id="ana", requested_at="2026-04-01")
    marts = marts_of(
        subscription_story(
            change("2026-01-10"), erasure_requests=[request, later(request, 9, requested_at=None)]
        )
    )
    assert rules(marts) == [("erasure_requests", "ana", 2)]
    assert [r["subscriber_id"] for r in marts["fct_subscription_states"]] == ["ana"]


def test_the_order_of_rows_is_nothing() -> None:
    first = change("2026-05-01", change_id="c1")
    story = subscription_story(
        first,
        later(first, 9, amount_minor=2000),
        change("2026-07-01", status="paused"),
        change("2026-08-01"),
    )
    expected = marts_of(story)
    for seed in range(5):
        shuffled = {
            table: random.Random(seed).sample(rows, len(rows))  # noqa: S311 - no secret
            for table, rows in story.items()
        }
        assert marts_of(shuffled) == expected
