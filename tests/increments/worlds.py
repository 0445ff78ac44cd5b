"""Small services whose rows arrive in batches, in any order, doubled, late, revised and wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Row = Mapping[str, Any]

FIRST_INSTANT = datetime(2025, 1, 30)  # noqa: DTZ001 - raw times are UTC and say no zone
HOURS = 24 * 75
# so few that rows meet: a session is revised to another's subscriber, a title's genre changes
SUBSCRIBERS = ("ann", "bob", "cid", "dan")
TITLES = ("t1", "t2", "t3")
SESSIONS = tuple(f"v{number}" for number in range(12))


@dataclass(frozen=True)
class World:
    """The rows of each raw table by the batch with which they arrive."""

    batches: Sequence[Mapping[str, Sequence[Row]]]


def instants(*, most_hours: int = HOURS) -> st.SearchStrategy[datetime]:
    """Instants of the time that is simulated, many of them at a local or a UTC midnight."""
    return st.builds(
        lambda hours, minutes: FIRST_INSTANT + timedelta(hours=hours, minutes=minutes),
        st.integers(0, most_hours),
        st.sampled_from((0, 0, 1, 30, 59)),
    )


def _arrivals(happened_at: datetime | None) -> st.SearchStrategy[datetime | None]:
    """When a row is recorded: soon, days or months later, too early, or nobody knows."""
    since = happened_at or FIRST_INSTANT
    delays = st.sampled_from((0.01, 0.01, 0.5, 9 * 24, 40 * 24, -1.0, -0.05))
    return st.one_of(
        delays.map(lambda hours: since + timedelta(hours=hours)),
        st.sampled_from((since + timedelta(hours=1), None)),
    )


@st.composite
def sessions(draw: st.DrawFn) -> Row:
    """A version of a playback session."""
    started_at = draw(instants())
    minutes = draw(st.sampled_from((0, 5, 45, 45, 240, 26 * 60, 7 * 24 * 60, 40 * 24 * 60, -5)))
    ended_at = draw(st.sampled_from((started_at + timedelta(minutes=minutes),) * 9 + (None,)))
    return {
        "session_id": draw(st.sampled_from((*SESSIONS, *SESSIONS, None))),
        "subscriber_id": draw(st.sampled_from((*SUBSCRIBERS, *SUBSCRIBERS, "nobody"))),
        "profile_id": draw(st.sampled_from(("p1", "p2", None))),
        "title_id": draw(st.sampled_from((*TITLES, *TITLES, "unknown", None))),
        "device_type": draw(st.sampled_from(("tv", "web", "fridge"))),
        "started_at": started_at,
        "ended_at": ended_at,
        "watched_seconds": draw(st.sampled_from((0, 20, 600, 2600, 90_000, -1))),
        "startup_ms": draw(st.sampled_from((None, 300, 900))),
        "rebuffer_count": None,
        "rebuffer_ms": draw(st.sampled_from((None, 0, 1500))),
        "bitrate_kbps": None,
        "end_cause": draw(st.sampled_from(("completed", "stopped", "error", "startup_failure"))),
        "is_autoplay": False,
        "recorded_at": draw(_arrivals(ended_at)),
    }


@st.composite
def subscribers(draw: st.DrawFn, subscriber_id: str) -> Row:
    """A version of a subscriber, of whom the sign-up may be missing: then nobody knows them."""
    signed_up_at = draw(st.one_of(*[st.just(FIRST_INSTANT)] * 2, instants(), st.none()))
    return {
        "subscriber_id": subscriber_id,
        "country_code": "BR",
        "acquisition_channel": "search",
        "signed_up_at": signed_up_at,
        "is_marketing_opt_in": True,
        "recorded_at": draw(_arrivals(signed_up_at)),
    }


@st.composite
def changes(draw: st.DrawFn) -> Row:
    """A state of a subscription."""
    changed_at = draw(instants())
    subscriber_id = draw(st.sampled_from(SUBSCRIBERS))
    return {
        "change_id": draw(st.sampled_from(("c1", "c2", "c3", "c4", "c5", "c6"))),
        "subscription_id": f"of_{subscriber_id}",
        "subscriber_id": subscriber_id,
        "changed_at": changed_at,
        "status": draw(st.sampled_from(("trialing", "active", "active", "ended"))),
        "plan_id": draw(st.sampled_from(("basic", "basic", "premium"))),
        "billing_period_unit": "month",
        "billing_period_count": 1,
        "amount_minor": 1000,
        "currency": "USD",
        "recorded_at": draw(_arrivals(changed_at)),
    }


@st.composite
def titles(draw: st.DrawFn) -> Row:
    """A version of a title."""
    return {
        "title_id": draw(st.sampled_from(TITLES)),
        "title_name": "A title",
        "content_type": draw(st.sampled_from(("movie", "episode", "live"))),
        "genre": draw(st.sampled_from(("crime", "comedy"))),
        "runtime_seconds": draw(st.sampled_from((None, 2700, 3000))),
        "recorded_at": draw(instants()),
    }


@st.composite
def requests(draw: st.DrawFn) -> Row:
    """A request for erasure; one that names no time is none, and takes an older one back."""
    requested_at = draw(st.one_of(instants(), instants(), st.none()))
    return {
        "subscriber_id": draw(st.sampled_from(SUBSCRIBERS)),
        "requested_at": requested_at,
        "recorded_at": draw(_arrivals(requested_at)),
    }


PLANS = tuple(
    {
        "plan_id": tier,
        "plan_name": tier.capitalize(),
        "plan_tier": tier,
        "is_ad_supported": False,
        "max_streams": 2,
        "recorded_at": FIRST_INSTANT,
    }
    for tier in ("basic", "premium")
)


@st.composite
def worlds(draw: st.DrawFn, *, most_batches: int = 4) -> World:
    """A service in two batches or more; a batch may be empty, or hold nothing but copies."""
    rows: list[tuple[str, Row]] = [("plans", plan) for plan in PLANS]
    for subscriber_id in SUBSCRIBERS:
        versions = draw(st.lists(subscribers(subscriber_id), min_size=1, max_size=2))
        rows += [("subscribers", version) for version in versions]
    rows += [("playback_sessions", row) for row in draw(st.lists(sessions(), max_size=30))]
    rows += [("subscription_changes", row) for row in draw(st.lists(changes(), max_size=8))]
    rows += [("titles", row) for row in draw(st.lists(titles(), max_size=5))]
    rows += [("erasure_requests", row) for row in draw(st.lists(requests(), max_size=2))]
    # the dearer plan turns out to be of the other tier
    rows += [
        ("plans", {**PLANS[1], "plan_tier": "basic", "recorded_at": recorded_at})
        for recorded_at in draw(st.lists(instants(), max_size=1))
    ]
    copies = draw(st.lists(st.sampled_from(rows), max_size=4))
    number = draw(st.integers(2, most_batches))
    batches: list[dict[str, list[Row]]] = [{} for _ in range(number)]
    for table, row in [*rows, *copies]:
        batches[draw(st.integers(0, number - 1))].setdefault(table, []).append(row)
    return World(batches)
