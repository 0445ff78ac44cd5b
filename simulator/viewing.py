"""Titles, and the playback sessions of those who have access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulator import world
from simulator.arrays import (
    DAY,
    HOUR,
    NO_TIME,
    SECOND,
    Flags,
    Ints,
    Reals,
    Window,
    choose,
    expand,
    ids,
    labels,
    nullable,
    recorded_after,
    times,
    to_table,
)
from simulator.billing import Periods
from simulator.contract import RawTable
from simulator.population import MAIN, SECOND_SUBSCRIPTION, VOLUNTARY, Streams, Subscribers

CONTENT_TYPES = ("movie", "episode", "live", "clip")
LIVE = 2
DEVICES = ("tv", "mobile", "tablet", "web", "console")
END_CAUSES = ("completed", "stopped", "error", "startup_failure")
COMPLETED, STOPPED, ERROR, STARTUP_FAILURE = range(4)

# evenings weigh most
_HOURS = (2, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 4, 5, 5, 4, 4, 5, 7, 9, 11, 12, 11, 8, 4)
MOST_PLAYS_OF_A_CHUNK = 10_000_000_000
"""How far apart the session numbers of chunks begin."""
PLAYS_AT_ONCE = 250_000
"""The size of a table of sessions, unless a single stretch of access has more."""


@dataclass(frozen=True)
class Catalogue:
    """The titles on offer, one element each, and how to draw one by genre."""

    genre: Ints
    content_type: Ints
    runtime_seconds: Ints
    has_runtime: Flags
    released_on: Ints
    series: Ints
    by_genre: Ints
    """Titles of a genre side by side: row = genre, column = popularity rank."""


def draw_catalogue(rng: np.random.Generator, window: Window) -> Catalogue:
    """Return the catalogue; the most popular title of each genre has always been there."""
    genres = len(world.GENRES)
    each = world.TITLES // genres
    number = np.arange(genres * each, dtype=np.int64)
    genre, rank = number % genres, number // genres
    content_type = choose(rng, (0.34, 0.54, 0.05, 0.07), len(number))
    content_type = np.where(
        genre == world.GENRES.index("sport"),
        np.where(rank % 2 == 0, LIVE, content_type),
        content_type,
    )
    low = np.array([4800, 1300, 5400, 90])[content_type]
    high = np.array([9000, 3900, 9000, 600])[content_type]
    runtime = low + (rng.random(len(number)) * (high - low)).astype(np.int64)
    first_day = window.start // DAY
    new = first_day + (rng.random(len(number)) * (window.end // DAY - first_day)).astype(np.int64)
    old = first_day - 30 - (rng.random(len(number)) * 6000).astype(np.int64)
    is_new = (rng.random(len(number)) < 0.3) & (rank > 0)
    return Catalogue(
        genre=genre,
        content_type=content_type,
        runtime_seconds=runtime,
        has_runtime=(content_type != LIVE) & (rng.random(len(number)) > 0.02),
        released_on=np.where(is_new, new, old),
        series=np.where(content_type == 1, genre * 100 + rank // 6, -1),
        by_genre=np.arange(genres * each, dtype=np.int64).reshape(each, genres).T,
    )


def titles_table(raw: RawTable, catalogue: Catalogue, window: Window) -> pa.Table:
    """Return the catalogue as a raw table, recorded before it was first on offer."""
    size = len(catalogue.genre)
    number = np.arange(size, dtype=np.int64)
    names = [
        f"{world.GENRES[g].replace('_', ' ').title()} {n // len(world.GENRES) + 1}"
        for n, g in enumerate(catalogue.genre)
    ]
    recorded = np.maximum(catalogue.released_on * DAY - 20 * DAY, window.start - 30 * DAY)
    return to_table(
        raw,
        {
            "title_id": ids("ti_", number),
            "title_name": pa.array(names),
            "content_type": labels(catalogue.content_type, CONTENT_TYPES),
            "genre": labels(catalogue.genre, world.GENRES),
            "series_id": nullable(
                ids("se_", np.maximum(catalogue.series, 0)), catalogue.series < 0
            ),
            "runtime_seconds": pa.array(catalogue.runtime_seconds, mask=~catalogue.has_runtime),
            "released_on": pa.array(catalogue.released_on.astype(np.int32), pa.date32()),
            "recorded_at": times(recorded),
        },
    )


@dataclass(frozen=True)
class Spans:
    """Stretches of access, one element each, with the plays to expect in them."""

    subscriber: Ints
    is_poor: Flags
    start_at: Ints
    end_at: Ints
    plays: Reals


def spans_of_access(
    rng: np.random.Generator,
    people: Subscribers,
    streams: Streams,
    periods: Periods,
    *,
    plays_per_month: float,
    window: Window,
) -> Spans:
    """Return when whom expects how many plays.

    A voluntary leaver watches less in the last two months; who is lost to a declined card watches
    on. A pause has none. Everybody has a rate of the own, gamma distributed with mean 1.
    """
    own_rate = rng.gamma(2.0, 0.5, len(people.signed_up_at))
    watched = (streams.role[periods.stream] != SECOND_SUBSCRIPTION) & ~periods.is_paused
    seen = periods.take(watched)
    to_go = streams.end_month[seen.stream] - seen.month
    fades = (streams.role[seen.stream] == MAIN) & (streams.cause[seen.stream] == VOLUNTARY)
    fade = np.select(
        [fades & (to_go <= 1), fades & (to_go == 2)],
        [world.FADE_LAST_MONTH, world.FADE_MONTH_BEFORE],
        1.0,
    )
    on_trial = np.flatnonzero(streams.trial_at != NO_TIME)
    trial_end = np.minimum(streams.trial_at[on_trial] + world.TRIAL_DAYS * DAY, window.end)
    # a trial that leads to nothing has seen little
    keen = np.where(streams.role[on_trial] == MAIN, 1.2, 0.6)
    stream = np.concatenate([on_trial, seen.stream])
    start_at = np.concatenate([streams.trial_at[on_trial], seen.start_at])
    end_at = np.concatenate([trial_end, seen.access_end_at])
    share = np.maximum(end_at - start_at, 0) / (30.4 * DAY)
    subscriber = streams.subscriber[stream]
    return Spans(
        subscriber=subscriber,
        is_poor=streams.is_poor[stream],
        start_at=start_at,
        end_at=end_at,
        plays=np.concatenate([keen, fade]) * own_rate[subscriber] * share * plays_per_month,
    )


def _start_times(rng: np.random.Generator, start_at: Ints, end_at: Ints) -> Ints:
    """Return an instant of each stretch, in the evening where the stretch allows it."""
    size = len(start_at)
    anywhere = start_at + (rng.random(size) * (end_at - start_at)).astype(np.int64)
    hour = choose(rng, _HOURS, size)
    preferred = anywhere // DAY * DAY + hour * HOUR + (rng.random(size) * HOUR).astype(np.int64)
    fits = (preferred >= start_at) & (preferred < end_at)
    return np.where(fits, preferred, anywhere) // SECOND * SECOND


def _titles_of(rng: np.random.Generator, catalogue: Catalogue, taste: Ints, day: Ints) -> Ints:
    """Return a title for each play, by the viewer's taste and the title's popularity."""
    size = len(taste)
    cumulative = np.cumsum(np.array(list(world.TASTES.values())), axis=1)
    cumulative /= cumulative[:, -1:]
    genre = (rng.random(size)[:, None] > cumulative[taste]).sum(axis=1)
    each = catalogue.by_genre.shape[1]
    # log-uniform: the popularity of a title falls with its rank
    rank = np.minimum(np.floor(each ** rng.random(size) - 1 + rng.random(size)), each - 1).astype(
        np.int64
    )
    title: Ints = catalogue.by_genre[genre, rank]
    return np.where(catalogue.released_on[title] <= day, title, catalogue.by_genre[genre, 0])


def _sessions_table(
    rng: np.random.Generator,
    raw: RawTable,
    people: Subscribers,
    catalogue: Catalogue,
    spans: Spans,
    span: Ints,
    *,
    first: int,
    window: Window,
) -> pa.Table:
    size = len(span)
    subscriber = spans.subscriber[span]
    is_poor = spans.is_poor[span]
    started = _start_times(rng, spans.start_at[span], spans.end_at[span])
    title = _titles_of(rng, catalogue, people.taste[subscriber], started // DAY)
    device = choose(rng, (0.46, 0.26, 0.09, 0.15, 0.04), size)

    fate = rng.random(size)
    fails = fate < np.where(is_poor, 0.030, 0.006)
    breaks = ~fails & (fate < np.where(is_poor, 0.090, 0.018))
    completes = rng.random(size) < 0.46
    part = np.where(completes, 0.90 + 0.10 * rng.random(size), rng.beta(0.8, 1.6, size) * 0.9)
    watched = np.where(fails, 0, (catalogue.runtime_seconds[title] * part).astype(np.int64))
    watched = np.where(breaks, watched // 3, watched)
    cause = np.select([fails, breaks, completes], [STARTUP_FAILURE, ERROR, COMPLETED], STOPPED)

    startup = rng.lognormal(np.where(is_poor, 7.9, 7.0), 0.45, size).astype(np.int64)
    hours = watched / 3600
    rebuffers = rng.poisson(hours * np.where(is_poor, 5.0, 0.6)).astype(np.int64)
    rebuffer_ms = (rebuffers * rng.lognormal(7.4, 0.5, size)).astype(np.int64)
    bitrate = rng.lognormal(np.where(is_poor, 7.6, 8.6), 0.3, size).astype(np.int64)
    speed = np.where(rng.random(size) < 0.02, 1.5, 1.0)
    ended = (
        started
        + ((watched / speed).astype(np.int64) + (startup + rebuffer_ms) // 1000 + 1) * SECOND
    )

    inside = ended < window.end
    unmeasured = rng.random(size) < 0.015
    profile = _profile(rng, people.profiles[subscriber])
    title_fate = rng.random(size)
    number = people.numbers[subscriber]
    # a title that left the catalogue has an id that the catalogue lacks
    title_number = np.where(title_fate < 0.004, title + 900_000, title)
    table = to_table(
        raw,
        {
            "session_id": ids("ps_", first + np.arange(size, dtype=np.int64)),
            "subscriber_id": ids("su_", number),
            "profile_id": nullable(ids("pr_", number * 4 + profile), title_fate > 0.995),
            "title_id": nullable(ids("ti_", title_number), title_fate > 0.99),
            "device_type": labels(device, DEVICES),
            "started_at": times(started),
            "ended_at": times(ended),
            "watched_seconds": pa.array(watched),
            "startup_ms": pa.array(startup, mask=unmeasured | fails),
            "rebuffer_count": pa.array(rebuffers, mask=unmeasured),
            "rebuffer_ms": pa.array(rebuffer_ms, mask=unmeasured),
            "bitrate_kbps": pa.array(bitrate, mask=unmeasured | fails),
            "end_cause": labels(cause, END_CAUSES),
            "is_autoplay": pa.array((rng.random(size) < 0.28) & (device != 3)),
            "recorded_at": times(recorded_after(rng, ended, window)),
        },
    )
    return table.filter(pa.array(inside))


def _profile(rng: np.random.Generator, profiles: Ints) -> Ints:
    """Return which of so many profiles of a household watches: the first most of the time."""
    return np.minimum((rng.random(len(profiles)) ** 1.7 * profiles).astype(np.int64), profiles - 1)


def sessions(
    rng: np.random.Generator,
    raw: RawTable,
    people: Subscribers,
    catalogue: Catalogue,
    spans: Spans,
    *,
    first: int,
    window: Window,
) -> Iterator[pa.Table]:
    """Yield the sessions of a chunk in tables of bounded size; numbers run on from `first`.

    A session that would still go on when the window ends is left out, its number unused.
    """
    counts = rng.poisson(spans.plays).astype(np.int64)
    total = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + PLAYS_AT_ONCE, side="right")))
        local, _ = expand(counts[begin:end])
        if len(local):
            yield _sessions_table(
                rng,
                raw,
                people,
                catalogue,
                spans,
                local + begin,
                first=first + int(done),
                window=window,
            )
        begin = end
