"""How much is watched by month and tier, how it plays, and what a title stands at."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from .intake import Row
from .local_time import TICK, month_of_date
from .project_facts import STARTUP_FAILURE, Facts, tells_of_its_buffer
from .project_figures import DAY, HALF, hours, mean, quantile, ratio
from .reference import VALID_PLAY_SECONDS
from .timeline import Phase

LANDMARK_DAYS = 30
OVERLONG_RATIO = 3

Cell = tuple[date, str, str]


@dataclass
class Engagement:
    """What is counted of a month and stratum."""

    viewers: list[str] = field(default_factory=list)
    paid_seconds: int = 0
    paying: Fraction = Fraction(0)
    days_since: list[int | None] = field(default_factory=list)
    hours_to_first: list[Fraction] = field(default_factory=list)


def engagement_monthly(facts: Facts) -> list[Row]:
    """Return how many watch, how often, how much and how lately."""
    cells: dict[Cell, Engagement] = defaultdict(Engagement)
    _count_days(facts, cells)
    _count_payers(facts, cells)
    starts: dict[tuple[str, str], date] = {}
    for (month, *stratum), told in cells.items():
        if told.viewers or told.paying:
            key = stratum[0], stratum[1]
            starts[key] = min(month, starts.get(key, month))
    _count_first_plays(facts, cells)
    return [
        _engagement_row(facts, month, stratum, cells[(month, *stratum)])
        for stratum, first in starts.items()
        for month in facts.reference.months_from(first)
    ]


def _cells(month: date, tier: str | None) -> list[Cell]:
    return [(month, "overall", "all"), (month, "plan_tier", tier or "not_paying")]


def _tier_on(facts: Facts, subscriber_id: str, day: date) -> str | None:
    """Return the tier that was paid for last on a local day, None where none was."""
    subscriber = facts.subscribers.get(subscriber_id)
    begin = facts.calendar.first_instant(day)
    end = facts.calendar.first_instant(day + DAY)
    paid = [
        segment
        for segment in (subscriber.segments if subscriber else [])
        if segment.phase is Phase.PAYING and segment.started_at < end and segment.ended_at > begin
    ]
    return max(paid, key=lambda segment: segment.started_at).tier if paid else None


def _count_days(facts: Facts, cells: dict[Cell, Engagement]) -> None:
    for subscriber_id, days in facts.viewing.items():
        for day, told in days.items():
            tier = _tier_on(facts, subscriber_id, day)
            for cell in _cells(month_of_date(day), tier):
                cells[cell].viewers.append(subscriber_id)
                cells[cell].paid_seconds += 0 if tier is None else told.seen_seconds


def _count_payers(facts: Facts, cells: dict[Cell, Engagement]) -> None:
    for month in facts.months:
        begin, end, until = facts.begin_of(month), facts.end_of(month), facts.until_date(month)
        for subscriber in facts.reference.subscribers:
            for segment in subscriber.segments:
                overlap = min(end, segment.ended_at) - max(begin, segment.started_at)
                if segment.phase is Phase.PAYING and overlap > timedelta(0):
                    for cell in _cells(month, segment.tier):
                        cells[cell].paying += Fraction(overlap // TICK, (end - begin) // TICK)
            last = subscriber.segment_at(end - TICK)
            if last is not None and last.phase is Phase.PAYING:
                seen = [day for day in facts.viewing[subscriber.subscriber_id] if day < until]
                for cell in _cells(month, last.tier):
                    cells[cell].days_since.append((until - max(seen)).days - 1 if seen else None)


def _count_first_plays(facts: Facts, cells: dict[Cell, Engagement]) -> None:
    for subscriber_id, play in facts.first_plays.items():
        day = facts.calendar.date_of(play["started_at"])
        waited = play["started_at"] - facts.people[subscriber_id].signed_up_at
        for cell in _cells(month_of_date(day), _tier_on(facts, subscriber_id, day)):
            cells[cell].hours_to_first.append(hours(waited))


def _engagement_row(facts: Facts, month: date, stratum: tuple[str, str], told: Engagement) -> Row:
    viewer_days, active = len(told.viewers), len(set(told.viewers))
    daily = Fraction(viewer_days, facts.elapsed_days(month))
    watched = Fraction(told.paid_seconds, 3600)
    seen = [days for days in told.days_since if days is not None]
    measured = {
        "active_subscriber_days": viewer_days,
        "monthly_active_subscribers": active,
        "mean_daily_active_subscribers": float(daily),
        "stickiness_rate": facts.once_over(month, ratio(daily, active)),
        "paid_watched_seconds": told.paid_seconds,
        "watched_hours_per_paying_subscriber": facts.once_over(month, ratio(watched, told.paying)),
        "closing_seen_subscribers": len(seen),
        "first_plays": len(told.hours_to_first),
    }
    if not facts.is_measured(month):
        measured = dict.fromkeys(measured)
    return {
        "month_start": month,
        "stratum": stratum[0],
        "stratum_value": stratum[1],
        "elapsed_days": facts.elapsed_days(month),
        **measured,
        "average_paying_subscribers": float(told.paying),
        "closing_paying_subscribers": len(told.days_since),
        "mean_days_since_last_view": mean(seen),
        "median_days_since_last_view": quantile(seen, HALF),
        "median_hours_to_first_play": quantile(told.hours_to_first, HALF),
        "is_complete": facts.reference.is_complete(month),
    }


def experience_monthly(facts: Facts) -> list[Row]:
    """Return how plays started, failed and stalled, by month and device."""
    cells: dict[tuple[date, str], list[Row]] = defaultdict(list)
    for play in facts.accepted["playback_sessions"]:
        month = facts.calendar.month_of(play["started_at"])
        cells[month, play["device_type"]].append(play)
    return [_experience_row(facts, *cell, plays) for cell, plays in cells.items()]


def _experience_row(facts: Facts, month: date, device: str, plays: list[Row]) -> Row:
    started = [play for play in plays if play["end_cause"] != STARTUP_FAILURE]
    # below 0 is what a player says that does not know
    times = [
        p["startup_ms"] for p in started if p["startup_ms"] is not None and p["startup_ms"] >= 0
    ]
    told = [p for p in plays if tells_of_its_buffer(p)]
    failures, errors = len(plays) - len(started), sum(p["end_cause"] == "error" for p in plays)
    stalled = Fraction(sum(p["rebuffer_ms"] for p in told), 1000)
    watched = sum(p["watched_seconds"] for p in told)
    return {
        "month_start": month,
        "device_type": device,
        "plays": len(plays),
        "startup_failures": failures,
        "startup_failure_rate": facts.once_over(month, ratio(failures, len(plays))),
        "error_plays": errors,
        "error_rate": facts.once_over(month, ratio(errors, len(plays))),
        "timed_starts": len(times),
        "mean_startup_ms": mean(times),
        "median_startup_ms": quantile(times, HALF),
        "p95_startup_ms": quantile(times, Fraction(95, 100)),
        "watched_hours": sum(p["watched_seconds"] for p in started) / 3600,
        "rebuffer_seconds": float(stalled) if told else None,
        "buffer_watched_seconds": float(watched) if told else None,
        "rebuffer_ratio": facts.once_over(month, ratio(stalled, watched)),
        "overlong_plays": sum(
            p["watched_seconds"] * 1_000_000
            > OVERLONG_RATIO * ((p["ended_at"] - p["started_at"]) // TICK)
            for p in started
        ),
        "is_complete": facts.reference.is_complete(month),
    }


def title_performance(facts: Facts) -> list[Row]:
    """Return who watches a title, how far, and what it stands at."""
    plays: dict[str, list[Row]] = defaultdict(list)
    for play in facts.accepted["playback_sessions"]:
        if play["title_id"] is not None:
            plays[play["title_id"]].append(play)
    first = Counter(play["title_id"] for play in facts.first_plays.values())
    last, early, at_landmark = _titles_of_lifetimes(facts)
    rows = []
    for title in {*facts.genres, *plays}:
        mine = plays[title]
        told = [is_it for is_it in map(facts.reference.is_completed, mine) if is_it is not None]
        seen = sum(p["watched_seconds"] for p in mine if p["end_cause"] != STARTUP_FAILURE)
        rows.append(
            {
                "title_id": title,
                "is_in_catalogue": title in facts.genres,
                "plays": len(mine),
                "valid_plays": sum(p["watched_seconds"] >= VALID_PLAY_SECONDS for p in mine),
                "viewers": len({p["subscriber_id"] for p in mine}),
                "watched_hours": seen / 3600,
                "completable_plays": len(told),
                "completed_plays": sum(told),
                "completion_rate": ratio(sum(told), len(told)),
                "first_title_subscribers": first[title],
                "last_title_churns": last[title],
                "early_viewers": early[title],
                "other_subscribers": at_landmark - early[title],
            }
        )
    return rows


def _titles_of_lifetimes(facts: Facts) -> tuple[Counter[str], Counter[str], int]:
    """Return the last titles of those that ended, those watched early, and how many were due."""
    last: Counter[str] = Counter()
    early: Counter[str] = Counter()
    at_landmark = 0
    for subscriber, lifetime in facts.lifetimes():
        days = facts.viewing[subscriber.subscriber_id]
        plays = [play for told in days.values() for play in told.plays]
        within = [play for play in plays if lifetime.holds_at(play["started_at"])]
        if lifetime.ended_at is not None and within:
            found = max(within, key=lambda play: (play["started_at"], play["session_id"]))
            last[found["title_id"]] += 1
        if lifetime.number == 1 and facts.reference.tenure_days(lifetime) >= LANDMARK_DAYS:
            at_landmark += 1
            first_date = facts.calendar.date_of(lifetime.started_at)
            landmark = first_date + timedelta(days=LANDMARK_DAYS)
            early.update(
                {
                    play["title_id"]
                    for play in plays
                    if play["watched_seconds"] >= VALID_PLAY_SECONDS
                    and first_date <= facts.calendar.date_of(play["started_at"]) < landmark
                }
            )
    return last, early, at_landmark
