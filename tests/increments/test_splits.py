"""However rows come, in whatever batches and order, increments end where one full build does.

`TENURE_SPLITS` says how many services are tried, `TENURE_SPLITS_ZONE` in which time zone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from .builds import Tables, at_once, in_batches
from .conftest import ZONE, NewBuild
from .worlds import FIRST_INSTANT, PLANS, Row, World, worlds

SPLITS = int(os.environ.get("TENURE_SPLITS", "20"))
MAX_SHOWN = 3


def differences(found: Tables, expected: Tables) -> list[str]:
    """What tables hold of each other, where they differ."""
    return [
        f"{name}: by increments {_without(found[name], rows)},"
        f" at once {_without(rows, found[name])}"
        for name, rows in expected.items()
        if found[name] != rows
    ]


def _without(
    rows: Sequence[tuple[Any, ...]], others: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    return [row for row in rows if row not in others][:MAX_SHOWN]


def compared(world: World, new_build: NewBuild) -> list[str]:
    found = in_batches(world, new_build())
    return differences(found, at_once(world, new_build()))


@settings(
    max_examples=SPLITS,
    deadline=None,
    derandomize="TENURE_SPLITS" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(world=worlds())
def test_any_split_of_any_rows_ends_in_the_tables_of_one_build(
    world: World, new_build: NewBuild
) -> None:
    assert compared(world, new_build) == []


def day(number: int) -> datetime:
    return FIRST_INSTANT + timedelta(days=number)


def subscriber(name: str, **values: object) -> Row:
    signed_up_at = values.pop("signed_up_at", day(0))
    return {
        "subscriber_id": name,
        "country_code": "BR",
        "signed_up_at": signed_up_at,
        "is_marketing_opt_in": True,
        "recorded_at": day(0),
        **values,
    }


def session(name: str | None, *, by: str = "ann", at: datetime, **values: object) -> Row:
    ended_at = at + timedelta(minutes=30)
    return {
        "session_id": name,
        "subscriber_id": by,
        "title_id": "t1",
        "device_type": "tv",
        "started_at": at,
        "ended_at": ended_at,
        "watched_seconds": 1800,
        "end_cause": "stopped",
        "is_autoplay": False,
        "recorded_at": ended_at + timedelta(minutes=5),
        **values,
    }


def change(name: str, status: str, *, at: datetime, plan: str = "basic", **values: object) -> Row:
    return {
        "change_id": name,
        "subscription_id": "s1",
        "subscriber_id": "ann",
        "changed_at": at,
        "status": status,
        "plan_id": plan,
        "billing_period_unit": "month",
        "billing_period_count": 1,
        "amount_minor": 1000,
        "currency": "USD",
        "recorded_at": at,
        **values,
    }


TITLE = {
    "title_id": "t1",
    "title_name": "One",
    "content_type": "movie",
    "genre": "crime",
    "runtime_seconds": 1900,
    "recorded_at": day(0),
}

HISTORY = {
    "plans": [*PLANS],
    "titles": [TITLE],
    "subscribers": [subscriber("ann"), subscriber("bob")],
    "playback_sessions": [
        session("v1", at=day(3)),
        session("v2", at=day(40)),
        session("v3", by="bob", at=day(41)),
    ],
    "subscription_changes": [change("c1", "active", at=day(2))],
}

LATER = {"playback_sessions": [session("v9", at=day(70))]}


def plays(tables: Tables) -> int:
    """The plays of all days, as a mart has them."""
    return sum(row[2] for row in tables["intermediate.int_viewing__subscriber_days"])


STORIES: dict[str, tuple[dict[str, list[Row]], int]] = {
    "an empty batch": ({}, 3),
    "nothing but copies": ({"playback_sessions": [*HISTORY["playback_sessions"]]}, 3),
    "a day before all others": ({"playback_sessions": [session("v4", at=day(-400))]}, 4),
    "a correction to a day before all others": (
        {"playback_sessions": [session("v1", at=day(-400), recorded_at=day(70))]},
        3,
    ),
    "the first session goes, and its month with it": (
        {"playback_sessions": [session("v1", at=day(42), recorded_at=day(70))]},
        3,
    ),
    "a revision to another subscriber": (
        {"playback_sessions": [session("v2", by="bob", at=day(40), recorded_at=day(70))]},
        3,
    ),
    "a revision to nobody": (
        {"playback_sessions": [session("v2", by="nobody", at=day(40), recorded_at=day(70))]},
        2,
    ),
    "a revision to nothing": (
        {"playback_sessions": [session("v2", at=day(40), watched_seconds=-1, recorded_at=day(70))]},
        2,
    ),
    "a session without a key": ({"playback_sessions": [session(None, at=day(30))]}, 3),
    "a session of a subscriber who comes later": (
        {"playback_sessions": [session("v5", by="cid", at=day(30))]},
        3,
    ),
    "a session that lasts over months": (
        {"playback_sessions": [session("v6", at=day(2), ended_at=day(60), recorded_at=day(61))]},
        4,
    ),
    "a subscriber who is none any more": (
        {"subscribers": [subscriber("bob", signed_up_at=None, recorded_at=day(1))]},
        2,
    ),
    "somebody erased": (
        {
            "erasure_requests": [
                {"subscriber_id": "ann", "requested_at": day(30), "recorded_at": day(30)}
            ]
        },
        3,
    ),
    "somebody erased, and a play of somebody else twice": (
        {
            "erasure_requests": [
                {"subscriber_id": "ann", "requested_at": day(30), "recorded_at": day(30)}
            ],
            "playback_sessions": [session("v3", by="bob", at=day(41))],
        },
        3,
    ),
    "a play before the first one": ({"playback_sessions": [session("v0", at=day(1))]}, 4),
    "a sign-up after the first play": (
        {"subscribers": [subscriber("ann", signed_up_at=day(5), recorded_at=day(6))]},
        3,
    ),
    "a change of tier that comes late": (
        {
            "subscription_changes": [
                change("c2", "active", at=day(10), plan="premium", recorded_at=day(70))
            ]
        },
        3,
    ),
    "a plan that is of another tier": (
        {"plans": [{**PLANS[0], "plan_tier": "premium", "recorded_at": day(1)}]},
        3,
    ),
    "an end that comes late": (
        {"subscription_changes": [change("c2", "ended", at=day(41), recorded_at=day(70))]},
        3,
    ),
    "an end that was none": (
        {
            "subscription_changes": [
                change("c2", "ended", at=day(41), recorded_at=day(70)),
                change("c2", "active", at=day(41), recorded_at=day(71)),
            ]
        },
        3,
    ),
    "a title of another genre": (
        {"titles": [{**TITLE, "genre": "comedy", "runtime_seconds": None, "recorded_at": day(1)}]},
        3,
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_what_comes_late_ends_where_it_would_have_been(story: str, new_build: NewBuild) -> None:
    batch, counted = STORIES[story]
    # with something after it: what the increment leaves must bear the next one
    world = World([HISTORY, batch, LATER])
    found = in_batches(world, new_build())
    assert plays(found) == counted + 1
    assert differences(found, at_once(world, new_build())) == []


def test_who_comes_later_is_counted_when_it_happened(new_build: NewBuild) -> None:
    early = {"playback_sessions": [session("v5", by="cid", at=day(30))]}
    world = World([HISTORY, early, {"subscribers": [subscriber("cid", recorded_at=day(31))]}])
    found = in_batches(world, new_build())
    assert plays(found) == 4
    assert differences(found, at_once(world, new_build())) == []


def test_who_comes_after_the_request_to_be_erased_is_counted_when_it_happened(
    new_build: NewBuild,
) -> None:
    early = {
        "playback_sessions": [session("v5", by="cid", at=day(10))],
        "erasure_requests": [
            {"subscriber_id": "cid", "requested_at": day(30), "recorded_at": day(30)}
        ],
    }
    world = World([HISTORY, early, {"subscribers": [subscriber("cid", recorded_at=day(31))]}])
    found = in_batches(world, new_build())
    assert plays(found) == 4
    assert differences(found, at_once(world, new_build())) == []


def test_a_horizon_that_moves_back_builds_everything_anew(new_build: NewBuild) -> None:
    # until the first play the newest sign-up sets the horizon
    unknown = session("v1", at=day(7), recorded_at=None)
    signed_up = {"subscribers": [subscriber("ann"), subscriber("bob", recorded_at=day(9))]}
    world = World(
        [
            {**signed_up, "playback_sessions": [unknown]},
            {"playback_sessions": [session("v2", at=day(4))]},
        ]
    )
    found = in_batches(world, new_build())
    assert plays(found) == 1
    assert differences(found, at_once(world, new_build())) == []


def test_an_old_month_that_nothing_touches_is_left_alone(new_build: NewBuild) -> None:
    build = new_build()
    build.add(HISTORY)
    build.refresh()
    # whoever builds that month anew would mend this
    build.connection.execute(
        "update intermediate.int_viewing__subscriber_days set plays = 99"
        " where viewing_date < date '2025-02-28'"
    )
    build.add(LATER)
    build.increment()
    assert plays(build.tables()) == 99 + 3


def test_an_exception_that_nothing_touches_is_left_alone(new_build: NewBuild) -> None:
    build = new_build()
    build.add(HISTORY)
    build.add({"playback_sessions": HISTORY["playback_sessions"]})
    build.refresh()
    # whoever judges it again would mend this
    build.connection.execute("update staging.base_viewing__exceptional_sessions set copies = 99")
    build.add({"playback_sessions": [session("v3", by="bob", at=day(41))]})
    build.increment()
    assert build.connection.execute(
        "select session_id, copies from staging.base_viewing__exceptional_sessions"
        " order by session_id"
    ).fetchall() == [("v1", 99), ("v2", 99), ("v3", 3)]


def test_an_end_touches_no_month_but_what_is_asked_of_its_days(new_build: NewBuild) -> None:
    build = new_build()
    build.add(HISTORY)
    build.refresh()
    # whoever builds that month anew would mend this
    build.connection.execute(
        "update intermediate.int_viewing__subscriber_days set plays = 99"
        " where viewing_date between date '2025-03-01' and date '2025-03-31'"
    )
    # the tier that ends in March was held in February, and is as it was then
    build.connection.execute(
        "update intermediate.int_viewing__tier_months set viewing_days = 99"
        " where month_start = date '2025-02-01'"
    )
    build.add({"subscription_changes": [change("c2", "ended", at=day(41), recorded_at=day(70))]})
    build.increment()
    tables = build.tables()
    assert plays(tables) == 1 + 2 * 99
    assert build.connection.execute(
        "select month_start, viewing_days from intermediate.int_viewing__tier_months"
        " where subscriber_id = 'ann' order by all"
    ).fetchall() == [(date(2025, 2, 1), 99), (date(2025, 3, 1), 1)]
    # of the last days before the end it is known which title was watched
    last_date = day(40).replace(tzinfo=UTC).astimezone(ZoneInfo(ZONE)).date()
    assert last_date in {row[2] for row in tables["intermediate.int_viewing__title_days"]}


def test_who_goes_on_after_being_erased_touches_no_old_month(new_build: NewBuild) -> None:
    build = new_build()
    build.add(HISTORY)
    # of ann there are plays before and after the request
    build.add(
        {
            "erasure_requests": [
                {"subscriber_id": "ann", "requested_at": day(30), "recorded_at": day(30)}
            ]
        }
    )
    build.refresh()
    # whoever builds that month anew would mend this
    spoil = "update intermediate.int_viewing__device_months set plays = 99"
    build.connection.execute(f"{spoil} where month_start < date '2025-03-01'")
    build.add(LATER)
    build.increment()
    months = dict(
        build.connection.execute(
            "select month_start, sum(plays) from intermediate.int_viewing__device_months group by 1"
        ).fetchall()
    )
    assert months == {date(2025, 2, 1): 99, date(2025, 3, 1): 2, date(2025, 4, 1): 1}


def test_a_request_to_be_erased_touches_no_month_before_it(new_build: NewBuild) -> None:
    build = new_build()
    build.add(HISTORY)
    build.refresh()
    # whoever builds these months anew would mend this
    build.connection.execute("update intermediate.int_viewing__device_months set plays = 99")
    build.add(
        {
            "erasure_requests": [
                {"subscriber_id": "ann", "requested_at": day(50), "recorded_at": day(50)}
            ]
        }
    )
    build.add(LATER)
    build.increment()
    tables = build.tables()
    viewers = [row[0] for row in tables["intermediate.int_viewing__subscriber_days"]]
    # what comes after the request is by somebody new
    assert viewers == ["ann", "bob", "erased", "erased"]
    months = dict(
        build.connection.execute(
            "select month_start, sum(plays) from intermediate.int_viewing__device_months group by 1"
        ).fetchall()
    )
    assert months == {date(2025, 2, 1): 99, date(2025, 3, 1): 99, date(2025, 4, 1): 1}


def test_who_is_not_erased_any_more_is_who_they_were(new_build: NewBuild) -> None:
    requests = [
        {"subscriber_id": "ann", "requested_at": requested_at, "recorded_at": recorded_at}
        for requested_at, recorded_at in ((day(30), day(30)), (None, day(35)))
    ]
    world = World([HISTORY, {"erasure_requests": requests[:1]}, {"erasure_requests": requests[1:]}])
    found = in_batches(world, new_build())
    assert plays(found) == 3
    viewers = {row[0] for row in found["intermediate.int_viewing__subscriber_days"]}
    assert viewers == {"ann", "bob"}
    assert differences(found, at_once(world, new_build())) == []


def test_the_months_of_the_only_subscriber_go_with_them(new_build: NewBuild) -> None:
    # with nobody signed up there is no month at all
    alone = {"subscribers": [subscriber("ann")], "playback_sessions": [session("v1", at=day(3))]}
    nobody = {"subscribers": [subscriber("ann", signed_up_at=None, recorded_at=day(1))]}
    world = World([alone, nobody])
    found = in_batches(world, new_build())
    assert found["intermediate.int_viewing__device_months"] == []
    assert differences(found, at_once(world, new_build())) == []
