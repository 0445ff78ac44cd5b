"""Local time, cohorts, survival and viewing, worked out by hand."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import pytest

from .intake import Row
from .local_time import LocalCalendar
from .reading import AS_OF, amounts, marts_of, months, movements
from .stories import at, change, subscriber, subscription_story, told
from .survival import kaplan_meier


def session(started_at: str, ended_at: str, watched_seconds: int, **given: object) -> Row:
    given.setdefault("session_id", f"{started_at} {watched_seconds}")
    return told(
        "playback_sessions",
        subscriber_id="ana",
        started_at=started_at,
        ended_at=ended_at,
        watched_seconds=watched_seconds,
        **given,
    )


def viewed(*sessions: Row, zone: str = "UTC", **others: list[Row]) -> dict[str, tuple[object, ...]]:
    """Return plays, valid plays, completed plays, seconds and titles by day."""
    story = subscription_story(
        subscribers=[subscriber()], playback_sessions=list(sessions), **others
    )
    rows = marts_of(story, zone=zone)["viewing_daily"]
    return {
        str(row["viewing_date"]): (
            row["plays"],
            row["valid_plays"],
            row["completed_plays"],
            row["watched_seconds"],
            row["titles"],
        )
        for row in sorted(rows, key=lambda row: row["viewing_date"])
    }


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),  # midnight never came
        ("America/Sao_Paulo", "2018-02-17", 25),  # 23 o'clock came twice
        ("Atlantic/Azores", "2021-10-31", 25),  # midnight came twice
        ("America/Havana", "2020-11-01", 25),  # midnight came twice
        ("Asia/Beirut", "2024-03-31", 23),  # midnight never came
        ("America/Nuuk", "2024-03-30", 23),  # 23 o'clock never came
        ("Australia/Lord_Howe", "2023-10-01", 23.5),
        ("Pacific/Apia", "2011-12-30", 0),  # the day that never was
        ("Asia/Kathmandu", "2026-03-08", 24),
    ],
)
def test_a_local_day_has_as_many_hours_as_its_clock_says(zone: str, day: str, hours: float) -> None:
    calendar = LocalCalendar(zone)
    first = date.fromisoformat(day)
    length = calendar.first_instant(first + timedelta(days=1)) - calendar.first_instant(first)
    assert length == timedelta(hours=hours)
    assert calendar.date_of(calendar.first_instant(first)) >= first
    assert calendar.date_of(calendar.first_instant(first) - timedelta(seconds=1)) < first


def test_a_month_is_the_reporting_zones() -> None:
    story = subscription_story(change("2026-03-01 04:30"))
    assert next(iter(months(marts_of(story), "churn_monthly", "new_subscribers"))) == "2026-03"
    in_new_york = marts_of(story, zone="America/New_York")
    assert next(iter(months(in_new_york, "churn_monthly", "new_subscribers"))) == "2026-02"


def test_openings_fx_and_cohorts_move_with_the_zone() -> None:
    rates = [
        told("exchange_rates", rate_date=day, currency="EUR", rate=rate)
        for day, rate in (("2026-05-01", "1.1"), ("2026-06-01", "1.05"))
    ]
    story = subscription_story(
        change("2026-05-10", currency="EUR"),
        change("2026-06-01 02:00", subscription_id="s2"),
        exchange_rates=rates,
    )
    marts = marts_of(story, as_of=at("2026-07-01 03:00"), zone="America/Sao_Paulo")
    assert movements(marts) == [
        ("2026-05-10", "new", "11.0000"),
        ("2026-06-01 02:00:00", "expansion", "10.0000"),
        ("2026-06-01 03:00:00", "fx", "-0.5000"),
    ]
    assert amounts(marts, "mrr_bridge_monthly", "opening_mrr_amount") == {"2026-06": "21.0000"}


def test_as_of_at_a_months_first_instant_shows_no_new_month() -> None:
    story = subscription_story(change("2025-12-03"))
    marts = marts_of(story, as_of=at("2026-01-01"))
    assert [(str(r["month_start"]), r["is_complete"]) for r in marts["churn_monthly"]] == [
        ("2025-12-01", True)
    ]
    one_second = marts_of(story, as_of=at("2026-01-01 00:00:01"))
    assert [(str(r["month_start"]), r["is_complete"]) for r in one_second["churn_monthly"]] == [
        ("2025-12-01", True),
        ("2026-01-01", False),
    ]


def cohort(
    story: dict[str, list[Row]], as_of: datetime = AS_OF
) -> dict[int, tuple[object, object]]:
    rows = marts_of(story, as_of=as_of)["retention_cohorts"]
    return {
        row["months_since_start"]: (row["retained_subscribers"], row["never_lapsed_subscribers"])
        for row in rows
    }


def test_a_month_that_is_not_over_is_null() -> None:
    assert cohort(subscription_story(change("2026-10-05"))) == {0: (1, 1), 1: (None, None)}


def test_who_lapses_and_returns_is_retained_again_and_has_lapsed_forever() -> None:
    story = subscription_story(
        change("2026-01-05"), change("2026-03-05", status="ended"), change("2026-06-05")
    )
    assert cohort(story, as_of=at("2026-08-01")) == {
        0: (1, 1),
        1: (1, 1),
        2: (0, 0),
        3: (0, 0),
        4: (0, 0),
        5: (1, 0),
        6: (1, 0),
    }


def test_everybody_censored_is_no_interval_from_nothing() -> None:
    (point,) = kaplan_meier([(10, False), (10, False)])
    assert (point["survival"], point["std_error"]) == (1.0, 0.0)
    assert (point["ci_lower"], point["ci_upper"]) == (1.0, 1.0)


def test_kaplan_meier_worked_out_by_hand() -> None:
    # of five, one leaves on day 0, one is censored on day 3, one leaves on day 5, two go on
    points = kaplan_meier([(0, True), (3, False), (5, True), (9, False), (9, False)])
    assert [(p["tenure_days"], p["at_risk"], p["churned"], p["censored"]) for p in points] == [
        (0, 5, 1, 0),
        (3, 4, 0, 1),
        (5, 3, 1, 0),
        (9, 2, 0, 2),
    ]
    # 4/5, then 4/5 * 2/3; Greenwood: 1/(5*4) + 1/(3*2)
    assert [p["survival"] for p in points] == pytest.approx([0.8, 0.8, 8 / 15, 8 / 15])
    spread = 1 / 20 + 1 / 6
    assert points[2]["std_error"] == pytest.approx(8 / 15 * math.sqrt(spread))
    theta = 1.959963984540054 * math.sqrt(spread) / -math.log(8 / 15)
    assert points[2]["ci_lower"] == pytest.approx((8 / 15) ** math.exp(theta))
    assert points[2]["ci_upper"] == pytest.approx((8 / 15) ** math.exp(-theta))


def test_a_session_over_midnight_gives_each_day_its_share_and_the_play_to_the_first() -> None:
    assert viewed(session("2026-05-01 23:50", "2026-05-02 00:20", 1800)) == {
        "2026-05-01": (1, 1, None, 600, 0),
        "2026-05-02": (0, 0, None, 1200, 0),
    }


def test_a_session_that_ends_at_midnight_does_not_touch_the_next_day() -> None:
    assert viewed(session("2026-05-01 23:50", "2026-05-02", 600)) == {
        "2026-05-01": (1, 1, None, 600, 0)
    }


def test_a_session_of_no_length_lies_whole_on_its_day() -> None:
    assert viewed(session("2026-05-02", "2026-05-02", 29)) == {"2026-05-02": (1, 0, None, 29, 0)}


def test_the_night_of_the_clock_change_loses_nothing() -> None:
    # Beirut, where 31 March 2024 began at 01:00: two hours on either side of a missing midnight
    story = session("2024-03-30 20:00", "2024-03-31 00:00", 4 * 3600)
    assert viewed(story, zone="Asia/Beirut") == {
        "2024-03-30": (1, 1, None, 2 * 3600, 0),
        "2024-03-31": (0, 0, None, 2 * 3600, 0),
    }
    # Sao Paulo, where the 17th of February 2018 had 25 hours
    story = session("2018-02-17 02:00", "2018-02-18 04:00", 26 * 3600)
    assert viewed(story, zone="America/Sao_Paulo") == {
        "2018-02-17": (1, 1, None, 25 * 3600, 0),
        "2018-02-18": (0, 0, None, 3600, 0),
    }


def test_completion_needs_a_known_runtime_that_is_not_live() -> None:
    titles = [
        told("titles", title_id="film", runtime_seconds=100),
        told("titles", title_id="match", content_type="live", runtime_seconds=100),
        told("titles", title_id="odd"),
    ]
    day = "2026-05-01"

    def play(title: str | None, seconds: int) -> Row:
        return session(
            day, day, seconds, title_id=title, session_id=f"{title} {seconds}", end_cause="stopped"
        )

    assert viewed(play("film", 89), play("film", 90), titles=titles) == {day: (2, 2, 1, 179, 1)}
    others = [play("match", 100), play("odd", 100), play("unknown", 100), play(None, 20)]
    assert viewed(*others, titles=titles) == {day: (4, 3, None, 320, 3)}
