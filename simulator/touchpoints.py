"""Tickets, surveys, campaign messages and requests to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulator import world
from simulator.arrays import (
    DAY,
    HOUR,
    MINUTE,
    NO_TIME,
    SECOND,
    Flags,
    Ints,
    Window,
    choose,
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

TOPICS = ("billing", "playback", "account", "content", "other")
SURVEYS = ("nps", "csat")
TOUCH_CHANNELS = ("email", "push", "in_app", "sms")
PURPOSES = ("onboarding", "engagement", "save", "win_back", "upsell", "loyalty")
ONBOARDING, ENGAGEMENT, SAVE, WIN_BACK, UPSELL, LOYALTY = range(6)
OFFERS = ("COMEBACK30", "STAY20")
COMMENTS = (
    "Love the series",
    "Too many interruptions",
    "Getting expensive",
    "Nothing left to watch",
    "My kids are happy",
    "Great picture",
)

TICKET_RATE = 0.035
POOR_TICKET_RATE = 0.110
SURVEY_RATE = 0.025
ENGAGEMENT_RATE = 0.30
UPSELL_RATE = 0.03
ERASURE_SHARE = 0.012


@dataclass(frozen=True)
class Numbers:
    """The numbers that the next chunk's tickets, responses and touches begin with."""

    ticket: int = 0
    response: int = 0
    touch: int = 0


@dataclass(frozen=True)
class Touchpoints:
    """A chunk's touch points and the numbers to go on with."""

    tables: dict[str, pa.Table]
    numbers: Numbers


def _moment(rng: np.random.Generator, start_at: Ints, end_at: Ints) -> Ints:
    instant = start_at + (rng.random(len(start_at)) * (end_at - start_at)).astype(np.int64)
    return instant // SECOND * SECOND


def _tickets(
    rng: np.random.Generator,
    raw: RawTable,
    people: Subscribers,
    streams: Streams,
    periods: Periods,
    *,
    first: int,
    window: Window,
) -> pa.Table:
    poor = streams.is_poor[periods.stream]
    is_last = (periods.month == streams.end_month[periods.stream] - 1) & (
        streams.cause[periods.stream] == VOLUNTARY
    )
    rate = np.where(poor, POOR_TICKET_RATE, TICKET_RATE) * np.where(is_last, 2.0, 1.0)
    rate = rate + 0.10 * (periods.retries > 0) + 0.05 * periods.is_fatal
    chosen = (rng.random(len(periods)) < rate) & (periods.access_end_at > periods.start_at)
    asked = periods.take(chosen)
    size = len(asked)
    opened = _moment(rng, asked.start_at, asked.access_end_at)
    waits = (rng.lognormal(10.2, 1.1, size).astype(np.int64) + 120) * SECOND
    resolved = opened + waits
    is_open = (resolved >= window.end) | (rng.random(size) < 0.03)
    topic = np.where(
        (asked.retries > 0) | asked.is_fatal,
        0,
        np.where(
            poor[chosen],
            choose(rng, (0.12, 0.62, 0.10, 0.08, 0.08), size),
            choose(rng, (0.30, 0.22, 0.22, 0.16, 0.10), size),
        ),
    )
    mood = np.where(poor[chosen], 3.0, 3.9) - (waits > 2 * DAY)
    score = np.clip(np.rint(rng.normal(mood, 1.0)), 1, 5).astype(np.int64)
    return to_table(
        raw,
        {
            "ticket_id": ids("tk_", first + np.arange(size, dtype=np.int64)),
            "subscriber_id": ids("su_", people.first + streams.subscriber[asked.stream]),
            "opened_at": times(opened),
            "resolved_at": times(np.where(is_open, NO_TIME, resolved)),
            "topic": labels(topic, TOPICS),
            "csat_score": pa.array(score, mask=is_open | (rng.random(size) < 0.55)),
            "recorded_at": times(recorded_after(rng, opened, window)),
        },
    )


def _responses(
    rng: np.random.Generator,
    raw: RawTable,
    people: Subscribers,
    streams: Streams,
    periods: Periods,
    *,
    first: int,
    window: Window,
) -> pa.Table:
    chosen = (rng.random(len(periods)) < SURVEY_RATE) & ~periods.is_paused
    chosen &= (periods.access_end_at > periods.start_at) & (
        streams.role[periods.stream] != SECOND_SUBSCRIPTION
    )
    asked = periods.take(chosen)
    size = len(asked)
    at = _moment(rng, asked.start_at, asked.access_end_at)
    to_go = streams.end_month[asked.stream] - asked.month
    leaves = (streams.cause[asked.stream] == VOLUNTARY) & (to_go <= 3)
    mood = 8.2 - 2.6 * streams.is_poor[asked.stream] - 2.2 * leaves
    nps = np.clip(np.rint(rng.normal(mood, 1.8)), 0, 10).astype(np.int64)
    csat = np.clip(np.rint(rng.normal(mood / 2, 0.9)), 1, 5).astype(np.int64)
    kind = (rng.random(size) < 0.35).astype(np.int64)
    comment = np.where(rng.random(size) < 0.3, choose(rng, (1, 1, 1, 1, 1, 1), size), -1)
    return to_table(
        raw,
        {
            "response_id": ids("sr_", first + np.arange(size, dtype=np.int64)),
            "subscriber_id": ids("su_", people.first + streams.subscriber[asked.stream]),
            "responded_at": times(at),
            "kind": labels(kind, SURVEYS),
            "score": pa.array(np.where(kind == 0, nps, csat)),
            "comment": labels(comment, COMMENTS),
            "recorded_at": times(recorded_after(rng, at, window)),
        },
    )


def _touches(
    rng: np.random.Generator,
    raw: RawTable,
    people: Subscribers,
    streams: Streams,
    periods: Periods,
    *,
    is_forgotten: Flags,
    first: int,
    window: Window,
) -> pa.Table:
    """Return the messages: sent to those who agreed, and to nobody who asks to be forgotten."""
    main = np.flatnonzero(streams.role == MAIN)
    everyone = np.arange(len(people.signed_up_at), dtype=np.int64)
    ended = streams.ended_at[main]
    leaves = main[(ended != NO_TIME) & (ended < window.end) & (rng.random(len(main)) < 0.7)]
    asks = main[
        (streams.cause[main] == VOLUNTARY) & (ended != NO_TIME) & (rng.random(len(main)) < 0.5)
    ]
    engaged = periods.take(
        (rng.random(len(periods)) < ENGAGEMENT_RATE) & (periods.access_end_at > periods.start_at)
    )
    offered = periods.take(
        (rng.random(len(periods)) < UPSELL_RATE) & (periods.access_end_at > periods.start_at)
    )
    loyal = periods.take(
        (periods.month > 0) & (periods.month % 12 == 0) & (periods.access_end_at > periods.start_at)
    )
    parts = [
        (ONBOARDING, everyone, people.signed_up_at + 26 * HOUR),
        (
            ENGAGEMENT,
            streams.subscriber[engaged.stream],
            _moment(rng, engaged.start_at, engaged.access_end_at),
        ),
        (
            UPSELL,
            streams.subscriber[offered.stream],
            _moment(rng, offered.start_at, offered.access_end_at),
        ),
        (LOYALTY, streams.subscriber[loyal.stream], loyal.start_at + HOUR),
        (SAVE, streams.subscriber[asks], streams.ended_at[asks] - 4 * DAY),
        (
            WIN_BACK,
            streams.subscriber[leaves],
            streams.ended_at[leaves] + rng.integers(14, 60, len(leaves)) * DAY,
        ),
    ]
    purpose = np.concatenate([np.full(len(part[1]), part[0], dtype=np.int64) for part in parts])
    subscriber = np.concatenate([part[1] for part in parts])
    sent = np.concatenate([part[2] for part in parts])
    chosen = people.is_opt_in[subscriber] & ~is_forgotten[subscriber]
    chosen &= (sent < window.end) & (sent >= people.signed_up_at[subscriber])
    purpose, subscriber, sent = purpose[chosen], subscriber[chosen], sent[chosen]
    order = np.lexsort((purpose, sent, subscriber))
    purpose, subscriber, sent = purpose[order], subscriber[order], sent[order]
    size = len(sent)
    opened = sent + (rng.exponential(6, size) * HOUR).astype(np.int64) // SECOND * SECOND + MINUTE
    is_opened = (rng.random(size) < 0.34) & (opened < window.end)
    clicked = opened + rng.integers(5, 600, size) * SECOND
    is_clicked = is_opened & (rng.random(size) < 0.22) & (clicked < window.end)
    month = (sent - window.start) // (30 * DAY)
    campaign = labels(purpose, PURPOSES)
    offer = np.select([purpose == WIN_BACK, purpose == SAVE], [0, 1], -1)
    return to_table(
        raw,
        {
            "touch_id": ids("ct_", first + np.arange(size, dtype=np.int64)),
            "subscriber_id": ids("su_", people.first + subscriber),
            "campaign_id": pa.compute.binary_join_element_wise(campaign, ids("", month), "_"),
            "channel": labels(choose(rng, (0.55, 0.25, 0.15, 0.05), size), TOUCH_CHANNELS),
            "purpose": campaign,
            "sent_at": times(sent),
            "opened_at": times(np.where(is_opened, opened, NO_TIME)),
            "clicked_at": times(np.where(is_clicked, clicked, NO_TIME)),
            "offer_code": labels(offer, OFFERS),
            "recorded_at": times(recorded_after(rng, sent, window)),
        },
    )


def _forgotten(
    rng: np.random.Generator,
    people: Subscribers,
    streams: Streams,
    window: Window,
) -> tuple[Ints, Ints]:
    """Return who asks to be forgotten, and when: some who left, months after their last row."""
    size = len(people.signed_up_at)
    last = people.signed_up_at.copy()
    open_ended = np.zeros(size, dtype=np.bool_)
    ends = np.where(streams.ended_at == NO_TIME, window.end, streams.ended_at)
    np.maximum.at(last, streams.subscriber, ends)
    np.logical_or.at(open_ended, streams.subscriber, ends >= window.end)
    asks_at = last + rng.integers(150, 200, size) * DAY + rng.integers(0, 86_400, size) * SECOND
    chosen = (rng.random(size) < ERASURE_SHARE) & ~open_ended & (asks_at < window.end)
    who = np.flatnonzero(chosen).astype(np.int64)
    return who, asks_at[who]


def touch(
    rng: np.random.Generator,
    raw: dict[str, RawTable],
    people: Subscribers,
    streams: Streams,
    periods: Periods,
    *,
    numbers: Numbers,
    window: Window,
) -> Touchpoints:
    """Return the touch points of a chunk."""
    who, asks_at = _forgotten(rng, people, streams, window)
    is_forgotten = np.zeros(len(people.signed_up_at), dtype=np.bool_)
    is_forgotten[who] = True
    tickets = _tickets(
        rng, raw["support_tickets"], people, streams, periods, first=numbers.ticket, window=window
    )
    responses = _responses(
        rng,
        raw["survey_responses"],
        people,
        streams,
        periods,
        first=numbers.response,
        window=window,
    )
    touches = _touches(
        rng,
        raw["campaign_touches"],
        people,
        streams,
        periods,
        is_forgotten=is_forgotten,
        first=numbers.touch,
        window=window,
    )
    erasures = to_table(
        raw["erasure_requests"],
        {
            "subscriber_id": ids("su_", people.first + who),
            "requested_at": times(asks_at),
            "recorded_at": times(recorded_after(rng, asks_at, window)),
        },
    )
    return Touchpoints(
        tables={
            "support_tickets": tickets,
            "survey_responses": responses,
            "campaign_touches": touches,
            "erasure_requests": erasures,
        },
        numbers=Numbers(
            ticket=numbers.ticket + len(tickets),
            response=numbers.response + len(responses),
            touch=numbers.touch + len(touches),
        ),
    )


def subscribers_table(
    rng: np.random.Generator, raw: RawTable, people: Subscribers, window: Window
) -> pa.Table:
    """Return a chunk of subscribers as a raw table."""
    numbers = people.numbers
    email = pa.compute.binary_join_element_wise(ids("viewer", numbers), "@example.com", "")
    return to_table(
        raw,
        {
            "subscriber_id": ids("su_", numbers),
            "email": nullable(email, ~people.has_email),
            "country_code": labels(
                np.where(people.country_is_known, people.country, -1),
                [c.code for c in world.COUNTRIES],
            ),
            "birth_year": pa.array(people.birth_year, mask=people.birth_year < 0),
            "acquisition_channel": labels(
                np.where(people.channel_is_known, people.channel, -1),
                [c.name for c in world.CHANNELS],
            ),
            "referred_by_subscriber_id": nullable(
                ids("su_", np.maximum(people.referred_by, 0)), people.referred_by < 0
            ),
            "signed_up_at": times(people.signed_up_at),
            "is_marketing_opt_in": pa.array(people.is_opt_in),
            "recorded_at": times(recorded_after(rng, people.signed_up_at, window)),
        },
    )
