"""Subscribers and the streams of billing months that their lifetimes consist of.

A stream is a run of calendar months of one subscriber on one subscription (or on two, where it is
cancelled and taken up anew within the hour). When it ends is drawn first, from the planted law;
pauses, plan changes, a switch to yearly billing and declined charges are then laid over its months
without moving that end, so that the planted survival holds exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

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
    add_months,
    choose,
)
from simulator.survival import NEVER, draw_renewals, lifetime_law, renewal_hazard

MAIN, SECOND_SUBSCRIPTION, GIFT, COMPLIMENTARY, TRIAL_ONLY = range(5)
VOLUNTARY, INVOLUNTARY, REFUNDED, ADMIN, GIFT_ENDED, TRIAL_EXPIRED = range(6)
NO_CHANGE, UPGRADE_MIDWAY, CHANGE_AT_RENEWAL = range(3)
ON_TRIAL, DIRECT, GIFTED, FREE, NOT_AT_ALL = range(5)

DISTANT = NEVER
"""A month index that no window reaches: the change that it dates does not happen."""


@dataclass(frozen=True)
class Subscribers:
    """A chunk of subscribers, one element each; `first` is the number of the first of them."""

    first: int
    signed_up_at: Ints
    country: Ints
    channel: Ints
    channel_is_known: Flags
    country_is_known: Flags
    referred_by: Ints
    birth_year: Ints
    has_email: Flags
    is_opt_in: Flags
    method: Ints
    taste: Ints
    profiles: Ints
    start_kind: Ints
    trial_converts: Flags

    @property
    def numbers(self) -> Ints:
        """The subscribers' numbers over the whole service."""
        return self.first + np.arange(len(self.signed_up_at), dtype=np.int64)

    @property
    def currency(self) -> Ints:
        """Index into `world.CURRENCIES`, by country."""
        return np.array([country.currency for country in world.COUNTRIES])[self.country]


@dataclass(frozen=True)
class Streams:
    """Streams of billing months, one element each; months count from `anchor_at` on.

    `end_month` is the month at whose start it ends; `DISTANT` in a month column stands for never.
    """

    subscriber: Ints
    lifetime: Ints
    role: Ints
    anchor_at: Ints
    trial_at: Ints
    first_month: Ints
    end_month: Ints
    cause: Ints
    plan: Ints
    method: Ints
    long_from: Ints
    long_months: Ints
    pause_from: Ints
    pause_months: Ints
    change_kind: Ints
    change_month: Ints
    changed_plan: Ints
    switch_month: Ints
    promotion: Ints
    has_add_on: Flags
    is_poor: Flags
    ended_at: Ints
    """When the `ended` row comes; `NO_TIME` where it lies outside any window."""
    access_ends_at: Ints
    """When access ends: 28 days after the failed renewal, or with the `ended` row."""

    def __len__(self) -> int:
        return len(self.subscriber)

    def take(self, chosen: Ints | Flags) -> Streams:
        """Return the chosen streams."""
        return Streams(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def start_of(self, streams: Ints, months: Ints) -> Ints:
        """Return when these months of these streams begin, a switch's gap included."""
        gap = world.SWITCH_GAP_MINUTES * MINUTE * (months >= self.switch_month[streams])
        return add_months(self.anchor_at[streams], months) + gap


def concatenate(parts: list[Streams]) -> Streams:
    """Return all streams of the parts, in their order."""
    return Streams(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Streams)
        }
    )


def draw_subscribers(
    rng: np.random.Generator, *, first: int, count: int, total: int, window: Window
) -> Subscribers:
    """Return subscribers number `first` on, of `total`, in the order of their sign-up.

    Sign-ups a day double over the window. Each falls in its own share of them, so that a chunk
    needs to know nothing of the others.
    """
    rank = (first + np.arange(count) + rng.random(count)) / max(total, 1)
    elapsed = np.sqrt(1 + 3 * rank) - 1
    span = window.end - window.start
    signed_up_at = window.start + (elapsed * span).astype(np.int64) // SECOND * SECOND
    channel = choose(rng, [c.share for c in world.CHANNELS], count)
    numbers = first + np.arange(count, dtype=np.int64)
    referrer = (rng.random(count) * numbers).astype(np.int64)
    is_referred = (channel == world.REFERRAL_CHANNEL) & (numbers > 0)
    has_birth_year = rng.random(count) < 0.7
    birth_year = np.clip(np.rint(rng.normal(1984, 13, count)), 1930, 2007).astype(np.int64)
    known = (
        1
        - world.COMPLIMENTARY_SHARE
        - world.GIFT_SHARE
        - world.TRIAL_SHARE
        - world.NEVER_SUBSCRIBES_SHARE
    )
    kinds = (
        world.TRIAL_SHARE,
        known,
        world.GIFT_SHARE,
        world.COMPLIMENTARY_SHARE,
        world.NEVER_SUBSCRIBES_SHARE,
    )
    conversion = np.array([c.trial_conversion for c in world.CHANNELS])[channel]
    return Subscribers(
        first=first,
        signed_up_at=signed_up_at,
        country=choose(rng, [c.share for c in world.COUNTRIES], count),
        channel=channel,
        channel_is_known=rng.random(count) > 0.01,
        country_is_known=rng.random(count) > 0.005,
        referred_by=np.where(is_referred, referrer, -1),
        birth_year=np.where(has_birth_year, birth_year, -1),
        has_email=rng.random(count) < 0.97,
        is_opt_in=rng.random(count) < 0.72,
        method=choose(rng, [m.share for m in world.METHODS], count),
        taste=choose(rng, world.TASTE_SHARES, count),
        profiles=choose(rng, (0.45, 0.25, 0.18, 0.12), count) + 1,
        start_kind=choose(rng, kinds, count),
        trial_converts=rng.random(count) < conversion,
    )


def _first_starts(rng: np.random.Generator, people: Subscribers) -> tuple[Ints, Ints, Ints]:
    """Return who begins a first lifetime, when paid months begin, and when their trial began."""
    kind = people.start_kind
    begins = (kind == DIRECT) | ((kind == ON_TRIAL) & people.trial_converts)
    who = np.flatnonzero(begins).astype(np.int64)
    on_trial = kind[who] == ON_TRIAL
    hesitation = (rng.exponential(20 * 60, len(who)).astype(np.int64) + 60) * SECOND
    signed_up = people.signed_up_at[who]
    anchor = np.where(on_trial, signed_up + world.TRIAL_DAYS * DAY, signed_up + hesitation)
    return who, anchor, np.where(on_trial, signed_up, NO_TIME)


def _end_causes(
    rng: np.random.Generator,
    *,
    law: world.Lifetime,
    end_month: Ints,
    is_annual: Flags,
    is_trial: Flags,
    method: Ints,
) -> Ints:
    """Return why each lifetime ends, given when.

    An involuntary end is a declined charge that no retry collects. Its probability at a charge is
    the decline rate times the share not recovered, whatever the tenure; divided by the hazard at
    that renewal it is the probability of the cause given the end, so that the two causes together
    make up the planted hazard.
    """
    decline = np.array([m.decline_rate for m in world.METHODS])[method]
    lost = decline * (1 - world.RECOVERED_SHARE)
    hazard = np.where(
        is_annual,
        renewal_hazard(law, np.where(is_annual, end_month, 12), every=12),
        renewal_hazard(law, end_month, every=1),
    )
    # the first charge of a direct start is made at the checkout: without it there is no start
    can_fail = is_annual | is_trial | (end_month > 1)
    is_involuntary = (rng.random(len(end_month)) < np.minimum(0.9, lost / hazard)) & can_fail
    other = rng.random(len(end_month))
    is_refunded = (other < world.REFUNDED_END_SHARE) & ~is_annual
    is_admin = other > 1 - world.ADMIN_END_SHARE
    return np.select(
        [is_involuntary, is_refunded, is_admin], [INVOLUNTARY, REFUNDED, ADMIN], VOLUNTARY
    ).astype(np.int64)


def _within(rng: np.random.Generator, upper: Ints) -> Ints:
    """Return a month from 1 to `upper` (or to 35) for each, at least 1."""
    width = np.clip(upper, 1, 35)
    return 1 + (rng.random(len(upper)) * width).astype(np.int64)


def _with_ends(rng: np.random.Generator, streams: Streams) -> Streams:
    """Return the streams with their `ended_at` and `access_ends_at` filled in."""
    size = len(streams)
    everyone = np.arange(size, dtype=np.int64)
    # beyond any window the calendar is not asked
    near = np.minimum(streams.end_month, 1200)
    is_annual = streams.long_from == 0
    involuntary = streams.cause == INVOLUNTARY
    refunded = streams.cause == REFUNDED
    failed_month = np.where(involuntary & ~is_annual, near - 1, near)
    base_month = np.where(refunded, near - 1, failed_month)
    base = streams.start_of(everyone, base_month)
    grace = world.GRACE_DAYS * DAY
    write_off = grace + rng.integers(1, 10, size) * DAY + rng.integers(0, 24, size) * HOUR
    regret = rng.integers(2, 10, size) * DAY + rng.integers(0, 24, size) * HOUR
    ended = base + np.select([involuntary, refunded], [write_off, regret], 0)
    access = np.where(involuntary, base + grace, ended)
    is_distant = streams.end_month > 1200
    return replace(
        streams,
        ended_at=np.where(is_distant, NO_TIME, ended),
        # far enough never to be reached, and still a number that fits
        access_ends_at=np.where(is_distant, 10_000 * 365 * DAY, access),
    )


def _paid_streams(
    rng: np.random.Generator,
    people: Subscribers,
    *,
    number: int,
    who: Ints,
    anchor_at: Ints,
    trial_at: Ints,
) -> Streams:
    """Return the main streams of lifetimes of that number."""
    size = len(who)
    law = lifetime_law(number)
    plan = choose(rng, [p.share for p in world.PLANS[: world.MAIN_PLANS]], size)
    is_poor = rng.random(size) < world.POOR_QUALITY_SHARE
    tilt = (
        np.array(world.plan_tilts())[plan]
        + np.array(world.quality_tilts())[is_poor.astype(np.int64)]
    )
    if number == 1:
        # those who return are a choice of their own: their channels no longer cancel out
        tilt = tilt + np.array(world.channel_tilts())[people.channel[who]]
    end_month = draw_renewals(rng, law, tilt)
    is_annual = rng.random(size) < world.ANNUAL_SHARE
    end_month = np.where(is_annual, -(-end_month // 12) * 12, end_month)
    is_trial = trial_at != NO_TIME
    method = people.method[who]
    cause = _end_causes(
        rng, law=law, end_month=end_month, is_annual=is_annual, is_trial=is_trial, method=method
    )
    may_vary = ~is_annual & (cause != REFUNDED)
    last = np.where(cause == INVOLUNTARY, end_month - 1, end_month)

    pause_months = 1 + rng.integers(0, 3, size)
    pause_room = np.where(cause == INVOLUNTARY, last - pause_months, last - 1)
    pauses = (rng.random(size) < world.PAUSE_SHARE) & may_vary & (pause_room >= 1)
    pause_from = np.where(pauses, _within(rng, pause_room), DISTANT)

    switches = (rng.random(size) < world.SWITCH_SHARE) & may_vary & (end_month >= 4) & ~pauses
    switch_month = np.where(switches, _within(rng, end_month - 3), DISTANT)

    # as many whole years before the end as there are, so that the end stays where it was drawn
    to_annual = (rng.random(size) < world.TO_ANNUAL_SHARE) & may_vary & ~pauses & ~switches
    to_annual &= (cause == VOLUNTARY) & (end_month > 12)
    near_start = (end_month - 1) % 12 + 1
    to_annual &= near_start >= 2
    long_from = np.select([is_annual, to_annual], [0, near_start], DISTANT)

    upward = rng.random(size) < 0.5
    at_switch = np.clip(np.where(upward, plan + 1, plan - 1), 0, world.MAIN_PLANS - 1)
    wish = rng.random(size)
    free = may_vary & ~switches & ~to_annual & (end_month >= 4)
    change_month = _within(rng, end_month - 3)
    in_pause = (change_month >= pause_from - 1) & (change_month <= pause_from + pause_months)
    goes_up = free & ~in_pause & (wish < world.UPGRADE_SHARE) & (plan < world.MAIN_PLANS - 1)
    goes_down = free & ~in_pause & (wish > 1 - world.DOWNGRADE_SHARE) & (plan > 0)
    kind = np.select(
        [goes_up, goes_down | switches], [UPGRADE_MIDWAY, CHANGE_AT_RENEWAL], NO_CHANGE
    ).astype(np.int64)
    changed_plan = np.select([switches, goes_up, goes_down], [at_switch, plan + 1, plan - 1], plan)

    offer = rng.random(size)
    monthly_offer = np.select([offer < 0.15, offer < 0.25], [world.WELCOME, world.SPRING], -1)
    if number > 1:
        monthly_offer = np.where(offer < 0.30, world.COMEBACK, -1)
    annual_offer = np.where(offer < 0.30, world.ANNUAL_OFFER, -1)
    promotion = np.where(is_annual, annual_offer, np.where(to_annual, -1, monthly_offer))

    streams = Streams(
        subscriber=who,
        lifetime=np.full(size, number, dtype=np.int64),
        role=np.full(size, MAIN, dtype=np.int64),
        anchor_at=anchor_at,
        trial_at=trial_at,
        first_month=np.zeros(size, dtype=np.int64),
        end_month=end_month,
        cause=cause,
        plan=plan,
        method=method,
        long_from=long_from.astype(np.int64),
        long_months=np.full(size, 12, dtype=np.int64),
        pause_from=pause_from,
        pause_months=pause_months,
        change_kind=kind,
        change_month=np.where(switches, switch_month, change_month),
        changed_plan=changed_plan.astype(np.int64),
        switch_month=switch_month,
        promotion=promotion.astype(np.int64),
        has_add_on=(rng.random(size) < world.ADD_ON_SHARE) & ~is_annual & ~to_annual,
        is_poor=is_poor,
        ended_at=np.zeros(size, dtype=np.int64),
        access_ends_at=np.zeros(size, dtype=np.int64),
    )
    return _with_ends(rng, streams)


def _plain_streams(
    *,
    role: int,
    cause: int,
    who: Ints,
    anchor_at: Ints,
    first_month: Ints,
    end_month: Ints,
    plan: Ints,
    method: Ints,
    lifetime: Ints,
) -> Streams:
    """Return streams without pauses, changes, offers or trials, their ends still to be set."""
    size = len(who)
    distant = np.full(size, DISTANT, dtype=np.int64)
    is_gift = role == GIFT
    return Streams(
        subscriber=who,
        lifetime=lifetime,
        role=np.full(size, role, dtype=np.int64),
        anchor_at=anchor_at,
        trial_at=np.full(size, NO_TIME, dtype=np.int64),
        first_month=first_month,
        end_month=end_month,
        cause=np.full(size, cause, dtype=np.int64),
        plan=plan,
        method=method,
        long_from=np.zeros(size, dtype=np.int64) if is_gift else distant,
        long_months=np.full(size, world.GIFT_MONTHS if is_gift else 12, dtype=np.int64),
        pause_from=distant,
        pause_months=np.zeros(size, dtype=np.int64),
        change_kind=np.zeros(size, dtype=np.int64),
        change_month=distant,
        changed_plan=plan,
        switch_month=distant,
        promotion=np.full(size, -1, dtype=np.int64),
        has_add_on=np.zeros(size, dtype=np.bool_),
        is_poor=np.zeros(size, dtype=np.bool_),
        ended_at=np.zeros(size, dtype=np.int64),
        access_ends_at=np.zeros(size, dtype=np.int64),
    )


def _given_streams(rng: np.random.Generator, people: Subscribers, *, role: int) -> Streams:
    """Return the first streams of those who were given theirs: gifts, or complimentary ones."""
    start_kind = GIFTED if role == GIFT else FREE
    who = np.flatnonzero(people.start_kind == start_kind).astype(np.int64)
    size = len(who)
    months = np.full(size, world.GIFT_MONTHS) if role == GIFT else rng.integers(6, 30, size)
    streams = _plain_streams(
        role=role,
        cause=GIFT_ENDED if role == GIFT else ADMIN,
        who=who,
        anchor_at=people.signed_up_at[who] + 5 * MINUTE,
        first_month=np.zeros(size, dtype=np.int64),
        end_month=months.astype(np.int64),
        plan=choose(rng, [p.share for p in world.PLANS[: world.MAIN_PLANS]], size),
        method=np.full(size, world.VOUCHER, dtype=np.int64),
        lifetime=np.full(size, 1 if role == GIFT else 0, dtype=np.int64),
    )
    return _with_ends(rng, streams)


def _second_streams(rng: np.random.Generator, main: Streams) -> Streams:
    """Return the second subscriptions that some hold beside a main one, never beyond its end."""
    chance = rng.random(len(main)) < world.SECOND_SUBSCRIPTION_SHARE
    held = main.take(
        chance & (main.role == MAIN) & (main.end_month >= 4) & (main.switch_month == DISTANT)
    )
    size = len(held)
    first_month = _within(rng, np.minimum(held.end_month - 3, 18))
    together = (rng.random(size) < 0.25) & (held.cause == VOLUNTARY)
    length = 1 + rng.geometric(0.12, size).astype(np.int64)
    end_month = np.where(
        together, held.end_month, np.minimum(first_month + length, held.end_month - 1)
    )
    streams = _plain_streams(
        role=SECOND_SUBSCRIPTION,
        cause=VOLUNTARY,
        who=held.subscriber,
        anchor_at=held.anchor_at,
        first_month=first_month,
        end_month=end_month,
        plan=np.full(size, world.KIDS_PLAN, dtype=np.int64),
        method=held.method,
        lifetime=held.lifetime,
    )
    return _with_ends(rng, streams)


def _lost_trials(rng: np.random.Generator, people: Subscribers) -> Streams:
    """Return the trials that nothing follows, as streams without a month."""
    who = np.flatnonzero((people.start_kind == ON_TRIAL) & ~people.trial_converts).astype(np.int64)
    zeros = np.zeros(len(who), dtype=np.int64)
    signed_up = people.signed_up_at[who]
    streams = _plain_streams(
        role=TRIAL_ONLY,
        cause=TRIAL_EXPIRED,
        who=who,
        anchor_at=signed_up + world.TRIAL_DAYS * DAY,
        first_month=zeros,
        end_month=zeros,
        plan=choose(rng, [p.share for p in world.PLANS[: world.MAIN_PLANS]], len(who)),
        method=people.method[who],
        lifetime=zeros,
    )
    return _with_ends(rng, replace(streams, trial_at=signed_up))


def draw_streams(rng: np.random.Generator, people: Subscribers, window: Window) -> Streams:
    """Return all streams of these subscribers that begin in the window, lifetime by lifetime."""
    gifts = _given_streams(rng, people, role=GIFT)
    parts = [gifts, _given_streams(rng, people, role=COMPLIMENTARY), _lost_trials(rng, people)]
    who, anchor, trial = _first_starts(rng, people)
    for number in range(1, world.MAX_LIFETIMES + 1):
        # a trial that is still open at the end is on record, though nothing was paid yet
        begins = (anchor < window.end) | (trial != NO_TIME)
        streams = _paid_streams(
            rng,
            people,
            number=number,
            who=who[begins],
            anchor_at=anchor[begins],
            trial_at=trial[begins],
        )
        parts.append(streams)
        left = concatenate([streams, gifts]) if number == 1 else streams
        returns = (rng.random(len(left)) < world.RETURN_RATE) & (left.ended_at != NO_TIME)
        days = rng.exponential(world.RETURN_GAP_MEAN_DAYS, len(left)) + world.RETURN_GAP_MIN_DAYS
        back_at = left.ended_at + (days * 86_400).astype(np.int64) * SECOND
        returns &= (left.ended_at < window.end) & (back_at < window.end)
        who, anchor = left.subscriber[returns], back_at[returns]
        trial = np.full(len(who), NO_TIME, dtype=np.int64)
        if not len(who):
            break
    main = concatenate(parts)
    main = main.take((main.anchor_at < window.end) | (main.trial_at != NO_TIME))
    return concatenate([main, _second_streams(rng, main)])
