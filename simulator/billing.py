"""The months of the streams turned into changes, invoices, lines, payments and refunds."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

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
    boundaries_before,
    choose,
    divide_rounded,
    expand,
    ids,
    labels,
    nullable,
    recorded_after,
    times,
    to_table,
)
from simulator.contract import RawTable
from simulator.population import (
    ADMIN,
    COMPLIMENTARY,
    GIFT,
    INVOLUNTARY,
    MAIN,
    NO_CHANGE,
    REFUNDED,
    SECOND_SUBSCRIPTION,
    TRIAL_ONLY,
    UPGRADE_MIDWAY,
    VOLUNTARY,
    Streams,
    Subscribers,
)

STATUSES = ("trialing", "active", "past_due", "paused", "ended")
TRIALING, ACTIVE, PAST_DUE, PAUSED, ENDED = range(5)
UNITS = ("month", "year")
# in the order of the causes of the population
END_REASONS = ("cancelled", "payment_failed", "refunded", "admin", "gift_ended", "trial_expired")
FEEDBACK = ("price", "content", "quality", "competitor", "seasonal", "technical", "other")
INVOICE_STATUSES = ("draft", "open", "paid", "void", "uncollectible")
LINE_KINDS = ("subscription", "proration", "add_on", "one_off")
SUBSCRIPTION_LINE, PRORATION_LINE, ADD_ON_LINE, ONE_OFF_LINE = range(4)
REFUND_KINDS = ("refund", "chargeback", "chargeback_reversal")
REFUND_REASONS = ("requested_by_customer", "duplicate", "service_issue", "fraudulent")

# how the collection of an invoice goes
AT_ONCE, AT_THE_CHECKOUT, BY_A_RETRY, NEVER_COLLECTED, VOIDED, DRAFTED = range(6)

# before this, every retry that recovers has come; changes of the subscriber's own doing come after
SETTLED = 14 * DAY + 12 * HOUR

_PRICES = np.array([plan.price_minor for plan in world.PLANS], dtype=np.int64)
_DECLINE = np.array([method.decline_rate for method in world.METHODS])
_TAX = np.array([country.tax_basis_points for country in world.COUNTRIES], dtype=np.int64)
_DISCOUNT = np.array([promotion.percent for promotion in world.PROMOTIONS], dtype=np.int64)
_DISCOUNT_MONTHS = np.array([promotion.months for promotion in world.PROMOTIONS], dtype=np.int64)


@dataclass(frozen=True)
class Periods:
    """The calendar months of all streams, one element each, in the order of stream and month."""

    stream: Ints
    month: Ints
    start_at: Ints
    end_at: Ints
    access_end_at: Ints
    """When access in this month ends: with the month, or before it where the stream stops."""
    is_paused: Flags
    is_billed: Flags
    is_checkout: Flags
    is_long: Flags
    is_fatal: Flags
    retries: Ints
    """Retries until the charge is collected; 0 where the first attempt is, or none ever."""
    plan: Ints
    end_plan: Ints
    list_minor: Ints
    discount_minor: Ints
    promotion: Ints

    def __len__(self) -> int:
        return len(self.stream)

    def take(self, chosen: Ints | Flags) -> Periods:
        """Return the chosen months."""
        return Periods(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @property
    def amount_minor(self) -> Ints:
        """Price of the billing period after its discount, in the state the month begins with."""
        return self.list_minor - self.discount_minor


@dataclass(frozen=True)
class Numbering:
    """The numbers that the next chunk's streams and invoices begin with."""

    stream: int = 0
    invoice: int = 0


@dataclass(frozen=True)
class Billing:
    """A chunk's billing tables, its months, the next chunk's numbers, and counts for the truth."""

    tables: dict[str, pa.Table]
    periods: Periods
    numbering: Numbering
    counts: dict[str, int]


def _price(streams: Streams, currency: Ints, stream: Ints, plan: Ints, is_long: Flags) -> Ints:
    monthly = _PRICES[plan, currency[stream]]
    times_monthly = np.where(
        streams.role[stream] == GIFT, world.GIFT_MONTHS, world.ANNUAL_PRICE_MONTHS
    )
    price = np.where(is_long, monthly * times_monthly, monthly)
    return np.where(streams.role[stream] == COMPLIMENTARY, 0, price)


def _discount(streams: Streams, stream: Ints, month: Ints, price: Ints) -> tuple[Ints, Ints]:
    promotion = streams.promotion[stream]
    applies = (promotion >= 0) & (month < _DISCOUNT_MONTHS[promotion])
    discount = np.where(applies, divide_rounded(price * _DISCOUNT[promotion], 100), 0)
    return discount, np.where(applies, promotion, -1)


def _charges(
    rng: np.random.Generator,
    streams: Streams,
    stream: Ints,
    month: Ints,
    *,
    is_billed: Flags,
    is_checkout: Flags,
    is_fatal: Flags,
) -> Ints:
    """Return the retries that each charge takes, so that first attempts fail at the planted rate.

    Fatal charges are part of that rate; what is left of it falls on charges that are recovered.
    """
    decline = _DECLINE[streams.method[stream]]
    can_be_fatal = (streams.role[stream] == MAIN) & ~is_checkout
    can_be_fatal &= (month > 0) | (streams.long_from[stream] > 0)
    lost = np.where(can_be_fatal, decline * (1 - world.RECOVERED_SHARE), 0.0)
    chance = (decline - lost) / (1 - lost)
    declined = (rng.random(len(stream)) < chance) & is_billed & ~is_fatal
    # money that is given back within days was collected at once
    declined &= ~((streams.cause[stream] == REFUNDED) & (month == streams.end_month[stream] - 1))
    retries = np.where(is_checkout, 1, choose(rng, world.RECOVERED_AT_RETRY, len(stream)) + 1)
    return np.where(declined, retries, 0)


def _periods(rng: np.random.Generator, streams: Streams, currency: Ints, window: Window) -> Periods:
    involuntary_long = (streams.cause == INVOLUNTARY) & (streams.long_from == 0)
    # a yearly renewal that fails has a month of grace after the end that was drawn
    last = streams.end_month + involuntary_long
    reached = np.minimum(boundaries_before(streams.anchor_at, window.end), last)
    stream, index = expand(np.maximum(reached - streams.first_month, 0))
    month = index + streams.first_month[stream]
    start_at = streams.start_of(stream, month)
    in_window = start_at < window.end
    stream, month, start_at = stream[in_window], month[in_window], start_at[in_window]

    end_at = streams.start_of(stream, month + 1) - world.SWITCH_GAP_MINUTES * MINUTE * (
        month + 1 == streams.switch_month[stream]
    )
    pause_from = streams.pause_from[stream]
    is_paused = (month >= pause_from) & (month < pause_from + streams.pause_months[stream])
    is_long = month >= streams.long_from[stream]
    since_long = (month - streams.long_from[stream]) % streams.long_months[stream]
    is_billed = (
        ~is_paused & (~is_long | (since_long == 0)) & (streams.role[stream] != COMPLIMENTARY)
    )
    has_trial = streams.trial_at[stream] != NO_TIME
    is_checkout = (month == streams.first_month[stream]) & ~has_trial
    is_checkout |= month == streams.switch_month[stream]
    fatal_month = streams.end_month - (streams.long_from != 0)
    is_fatal = (streams.cause[stream] == INVOLUNTARY) & (month == fatal_month[stream])
    retries = _charges(
        rng, streams, stream, month, is_billed=is_billed, is_checkout=is_checkout, is_fatal=is_fatal
    )

    kind, change_month = streams.change_kind[stream], streams.change_month[stream]
    changed_at_start = np.where(kind == UPGRADE_MIDWAY, month > change_month, month >= change_month)
    has_changed = (kind != NO_CHANGE) & (month >= change_month)
    plan = np.where(
        (kind != NO_CHANGE) & changed_at_start, streams.changed_plan[stream], streams.plan[stream]
    )
    price = _price(streams, currency, stream, plan, is_long)
    discount, promotion = _discount(streams, stream, month, price)
    return Periods(
        stream=stream,
        month=month,
        start_at=start_at,
        end_at=end_at,
        access_end_at=np.minimum(np.minimum(end_at, streams.access_ends_at[stream]), window.end),
        is_paused=is_paused,
        is_billed=is_billed,
        is_checkout=is_checkout,
        is_long=is_long,
        is_fatal=is_fatal,
        retries=retries,
        plan=plan,
        end_plan=np.where(has_changed, streams.changed_plan[stream], streams.plan[stream]),
        list_minor=price,
        discount_minor=discount,
        promotion=promotion,
    )


@dataclass(frozen=True)
class _Changes:
    """Rows of `subscription_changes` to be, one element each."""

    stream: Ints
    month: Ints
    at: Ints
    status: Ints
    plan: Ints
    cancel_requested_at: Ints
    end_reason: Ints
    feedback: Ints


def _rows(
    stream: Ints,
    month: Ints,
    at: Ints,
    status: int | Ints,
    plan: Ints,
    *,
    cancel_requested_at: Ints | None = None,
    end_reason: Ints | None = None,
    feedback: Ints | None = None,
) -> _Changes:
    size = len(stream)
    return _Changes(
        stream=stream,
        month=month,
        at=at,
        status=np.broadcast_to(np.asarray(status, dtype=np.int64), (size,)),
        plan=plan,
        cancel_requested_at=np.full(size, NO_TIME)
        if cancel_requested_at is None
        else cancel_requested_at,
        end_reason=np.full(size, -1) if end_reason is None else end_reason,
        feedback=np.full(size, -1) if feedback is None else feedback,
    )


def _boundary_rows(streams: Streams, periods: Periods) -> _Changes:
    """Return a row for each month that begins in another state than the one before it ended in."""
    declined = (periods.is_fatal | (periods.retries > 0)) & ~periods.is_checkout
    status = np.select([periods.is_paused, declined], [PAUSED, PAST_DUE], ACTIVE)
    end_status = np.where(periods.is_paused, PAUSED, ACTIVE)
    before = np.maximum(np.arange(len(periods)) - 1, 0)
    is_first = periods.month == streams.first_month[periods.stream]
    differs = (
        is_first
        | (status != end_status[before])
        | (periods.plan != periods.end_plan[before])
        | (periods.amount_minor != periods.amount_minor[before])
        | (periods.is_long != periods.is_long[before])
        | (periods.month == streams.switch_month[periods.stream])
    )
    # an upgrade halfway has already put its own row at the new price
    after_upgrade = (
        ~is_first
        & (streams.change_kind[periods.stream] == UPGRADE_MIDWAY)
        & (periods.month == streams.change_month[periods.stream] + 1)
        & (status == end_status[before])
        & (periods.promotion == periods.promotion[before])
    )
    chosen = differs & ~after_upgrade
    return _rows(
        periods.stream[chosen],
        periods.month[chosen],
        periods.start_at[chosen],
        status[chosen],
        periods.plan[chosen],
    )


def _retry_at(periods: Periods, retry: Ints | int) -> Ints:
    """Return when that retry of each month's charge is made, 1 for the first."""
    offsets = np.array([0, *world.RETRY_DAYS], dtype=np.int64) * DAY
    jitter = (periods.stream * 37 + periods.month * 101) % 240 * MINUTE
    return periods.start_at + np.where(periods.is_checkout, 3 * MINUTE, offsets[retry] + jitter)


def _dunning_rows(periods: Periods) -> list[_Changes]:
    """Return the way back to `active`, and the repeated `past_due` of those that are lost."""
    back = periods.take((periods.retries > 0) & ~periods.is_checkout)
    rows = [_rows(back.stream, back.month, _retry_at(back, back.retries), ACTIVE, back.plan)]
    lost = periods.take(periods.is_fatal)
    for retry in (2, 4):
        rows.append(_rows(lost.stream, lost.month, _retry_at(lost, retry), PAST_DUE, lost.plan))
    return rows


def _feedback(rng: np.random.Generator, is_poor: Flags) -> Ints:
    usual = choose(rng, (0.34, 0.24, 0.06, 0.14, 0.10, 0.05, 0.07), len(is_poor))
    where_poor = choose(rng, (0.18, 0.12, 0.36, 0.10, 0.05, 0.14, 0.05), len(is_poor))
    return np.where(rng.random(len(is_poor)) < 0.6, np.where(is_poor, where_poor, usual), -1)


def _leaving_rows(rng: np.random.Generator, streams: Streams, periods: Periods) -> list[_Changes]:
    """Return requests to cancel, and the ends."""
    size = len(streams)
    everyone = np.arange(size, dtype=np.int64)
    feedback = _feedback(rng, streams.is_poor)
    last = np.maximum(np.minimum(streams.end_month, 1200) - 1, 0)
    begins, room = streams.start_of(everyone, last), streams.start_of(everyone, last + 1)
    asked = (
        begins + SETTLED + (rng.random(size) * (room - begins - SETTLED - HOUR)).astype(np.int64)
    )
    asked = asked // SECOND * SECOND
    cancels_itself = (streams.cause == VOLUNTARY) & (streams.end_month <= 1200)
    asked = np.where(cancels_itself, asked, NO_TIME)
    feedback = np.where(cancels_itself | (streams.cause == REFUNDED), feedback, -1)

    final = periods.take(
        cancels_itself[periods.stream] & (periods.month == streams.end_month[periods.stream] - 1)
    )
    requests = _rows(
        final.stream,
        final.month,
        asked[final.stream],
        np.where(final.is_paused, PAUSED, ACTIVE),
        final.end_plan,
        cancel_requested_at=asked[final.stream],
        feedback=feedback[final.stream],
    )

    end_plan = np.where(
        (streams.change_kind != NO_CHANGE) & (streams.end_month > streams.change_month),
        streams.changed_plan,
        streams.plan,
    )
    ended = np.flatnonzero(streams.ended_at != NO_TIME)
    ends = _rows(
        ended,
        last[ended],
        streams.ended_at[ended],
        ENDED,
        end_plan[ended],
        cancel_requested_at=asked[ended],
        end_reason=streams.cause[ended],
        feedback=feedback[ended],
    )

    swapped = periods.take(periods.month == streams.switch_month[periods.stream] - 1)
    swaps = _rows(
        swapped.stream,
        swapped.month,
        swapped.end_at,
        ENDED,
        swapped.end_plan,
        cancel_requested_at=swapped.end_at,
        end_reason=np.zeros(len(swapped), dtype=np.int64),
    )
    return [requests, ends, swaps]


def _upgrade_at(periods: Periods) -> Ints:
    """Return when a month's upgrade halfway takes effect, between its 15th and 26th day."""
    return (
        periods.start_at + SETTLED + (periods.stream * 61 + periods.month * 17) % (11 * 24) * HOUR
    )


def _all_changes(
    rng: np.random.Generator, streams: Streams, periods: Periods, window: Window
) -> _Changes:
    trials = np.flatnonzero(streams.trial_at != NO_TIME)
    zeros = np.zeros(len(trials), dtype=np.int64)
    upgraded = periods.take(_is_upgraded(streams, periods))
    parts = [
        _rows(trials, zeros, streams.trial_at[trials], TRIALING, streams.plan[trials]),
        _boundary_rows(streams, periods),
        *_dunning_rows(periods),
        _rows(
            upgraded.stream,
            upgraded.month,
            _upgrade_at(upgraded),
            ACTIVE,
            upgraded.end_plan,
        ),
        *_leaving_rows(rng, streams, periods),
    ]
    joined = _Changes(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(_Changes)
        }
    )
    chosen = (joined.at < window.end) & (joined.at != NO_TIME)
    # a chunk's rows in the order of the subscription's story
    order = np.lexsort((np.arange(len(joined.at)), joined.at, joined.stream))
    order = order[chosen[order]]
    return _Changes(
        **{field.name: getattr(joined, field.name)[order] for field in fields(_Changes)}
    )


def _is_upgraded(streams: Streams, periods: Periods) -> Flags:
    is_upgraded: Flags = (streams.change_kind[periods.stream] == UPGRADE_MIDWAY) & (
        periods.month == streams.change_month[periods.stream]
    )
    return is_upgraded


def _subscription_numbers(streams: Streams, stream: Ints, month: Ints, first: int) -> Ints:
    # after a switch the stream goes on under a subscription of its own
    return (first + stream) * 2 + (month >= streams.switch_month[stream])


def _changes_table(
    rng: np.random.Generator,
    raw: RawTable,
    people: Subscribers,
    streams: Streams,
    changes: _Changes,
    *,
    first_stream: int,
    window: Window,
) -> pa.Table:
    stream, currency = changes.stream, people.currency[streams.subscriber]
    is_long = changes.month >= streams.long_from[stream]
    price = _price(streams, currency, stream, changes.plan, is_long)
    discount, _ = _discount(streams, stream, changes.month, price)
    is_gift = streams.role[stream] == GIFT
    # the position of a row within its subscription's story names it
    is_new = np.ones(len(stream), dtype=np.bool_)
    is_new[1:] = stream[1:] != stream[:-1]
    starts = np.flatnonzero(is_new)
    position = np.arange(len(stream)) - starts[np.cumsum(is_new) - 1] if len(stream) else stream
    return to_table(
        raw,
        {
            "change_id": ids("ch_", (first_stream + stream) * 128 + position),
            "subscription_id": ids(
                "sb_", _subscription_numbers(streams, stream, changes.month, first_stream)
            ),
            "subscriber_id": ids("su_", people.first + streams.subscriber[stream]),
            "changed_at": times(changes.at),
            "status": labels(changes.status, STATUSES),
            "plan_id": labels(changes.plan, [plan.plan_id for plan in world.PLANS]),
            "billing_period_unit": labels((is_long & ~is_gift).astype(np.int64), UNITS),
            "billing_period_count": pa.array(np.where(is_gift, world.GIFT_MONTHS, 1)),
            "amount_minor": pa.array(price - discount),
            "currency": labels(currency[stream], world.CURRENCIES),
            "cancel_requested_at": times(changes.cancel_requested_at),
            "end_reason": labels(changes.end_reason, END_REASONS),
            "cancel_feedback": labels(changes.feedback, FEEDBACK),
            "recorded_at": times(recorded_after(rng, changes.at, window)),
        },
    )


@dataclass(frozen=True)
class _Invoices:
    """Invoices to be, one element each; `stream` gives the subscriber, `month` the subscription."""

    stream: Ints
    month: Ints
    is_of_subscription: Flags
    issued_at: Ints
    outcome: Ints
    retries: Ints
    paid_at: Ints
    total_minor: Ints
    tax_minor: Ints


@dataclass(frozen=True)
class _Lines:
    """Lines to be, one element each; `invoice` is the index of their invoice in the chunk."""

    invoice: Ints
    position: Ints
    kind: Ints
    plan: Ints
    start_at: Ints
    end_at: Ints
    amount_minor: Ints
    tax_minor: Ints
    discount_minor: Ints
    promotion: Ints


@dataclass(frozen=True)
class _Bills:
    """Invoices and, aligned with them, the months that they come from."""

    periods: Periods
    kind: Ints
    issued_at: Ints
    outcome: Ints


def _outcome(periods: Periods) -> Ints:
    return np.select(
        [periods.is_fatal, (periods.retries > 0) & periods.is_checkout, periods.retries > 0],
        [NEVER_COLLECTED, AT_THE_CHECKOUT, BY_A_RETRY],
        AT_ONCE,
    ).astype(np.int64)


def _small_outcome(rng: np.random.Generator, streams: Streams, periods: Periods) -> Ints:
    """Return how a charge made with the subscriber present goes: declined ones are tried again."""
    declined = rng.random(len(periods)) < _DECLINE[streams.method[periods.stream]]
    return np.where(declined, AT_THE_CHECKOUT, AT_ONCE)


def _bills(rng: np.random.Generator, streams: Streams, periods: Periods, window: Window) -> _Bills:
    """Return all invoices: renewals, upgrades, one-offs, and those issued in error or not yet."""
    billed = periods.take(periods.is_billed)
    upgraded = periods.take(_is_upgraded(streams, periods))
    watchable = ~periods.is_paused & (streams.role[periods.stream] == MAIN)
    one_off = periods.take(watchable & (rng.random(len(periods)) < world.ONE_OFF_RATE))
    one_off_at = one_off.start_at + (
        rng.random(len(one_off)) * (one_off.access_end_at - one_off.start_at)
    ).astype(np.int64)
    fate = rng.random(len(billed))
    voided = billed.take(fate < world.VOID_RATE)
    drafted = billed.take(fate > 1 - world.DRAFT_RATE)
    parts = [
        (billed, SUBSCRIPTION_LINE, billed.start_at, _outcome(billed)),
        (
            upgraded,
            PRORATION_LINE,
            _upgrade_at(upgraded),
            _small_outcome(rng, streams, upgraded),
        ),
        (
            one_off,
            ONE_OFF_LINE,
            one_off_at // SECOND * SECOND,
            _small_outcome(rng, streams, one_off),
        ),
        (voided, SUBSCRIPTION_LINE, voided.start_at + MINUTE, np.full(len(voided), VOIDED)),
        (drafted, SUBSCRIPTION_LINE, drafted.start_at + MINUTE, np.full(len(drafted), DRAFTED)),
    ]
    joined = {
        field.name: np.concatenate([getattr(part[0], field.name) for part in parts])
        for field in fields(Periods)
    }
    kind = np.concatenate([np.full(len(part[0]), part[1], dtype=np.int64) for part in parts])
    issued_at = np.concatenate([part[2] for part in parts])
    outcome = np.concatenate([part[3] for part in parts]).astype(np.int64)
    order = np.lexsort((np.arange(len(kind)), issued_at, joined["stream"]))
    order = order[issued_at[order] < window.end]
    return _Bills(
        periods=Periods(**{name: values[order] for name, values in joined.items()}),
        kind=kind[order],
        issued_at=issued_at[order],
        outcome=outcome[order],
    )


def _lines(streams: Streams, people: Subscribers, bills: _Bills) -> _Lines:
    """Return the lines of all invoices, in the order of their invoices."""
    periods, currency = bills.periods, people.currency[streams.subscriber]
    stream = periods.stream
    invoice = np.arange(len(periods), dtype=np.int64)
    own = {name: np.full(len(periods), -1, dtype=np.int64) for name in ("plan", "promotion")}
    is_renewal = bills.kind == SUBSCRIPTION_LINE
    is_upgrade = bills.kind == PRORATION_LINE
    is_one_off = bills.kind == ONE_OFF_LINE
    length = np.where(periods.is_long, streams.long_months[stream], 1)
    term_end = np.where(
        periods.is_long, streams.start_of(stream, periods.month + length), periods.end_at
    )

    # what is left of the old plan's month comes back, at the price paid for it
    left = np.maximum(periods.end_at - bills.issued_at, 0) // SECOND
    whole = (periods.end_at - periods.start_at) // SECOND
    credit = -divide_rounded(periods.amount_minor * left, whole)
    new_price = _price(streams, currency, stream, periods.end_plan, periods.is_long)
    new_discount, _ = _discount(streams, stream, periods.month, new_price)
    charge = divide_rounded((new_price - new_discount) * left, whole)

    one_off_minor = np.array(world.ONE_OFF_MINOR)[currency[stream]]
    first_amount = np.select(
        [is_upgrade, is_one_off], [credit, one_off_minor], periods.amount_minor
    )
    no_time = np.full(len(periods), NO_TIME)
    first = _Lines(
        invoice=invoice,
        position=np.zeros(len(periods), dtype=np.int64),
        kind=bills.kind,
        plan=np.where(is_one_off, -1, periods.plan),
        start_at=np.select([is_upgrade, is_one_off], [bills.issued_at, no_time], periods.start_at),
        end_at=np.select([is_upgrade, is_one_off], [periods.end_at, no_time], term_end),
        amount_minor=first_amount,
        tax_minor=own["plan"],
        discount_minor=np.where(is_renewal, periods.discount_minor, 0),
        promotion=np.where(is_renewal, periods.promotion, -1),
    )
    has_more = is_upgrade | (is_renewal & streams.has_add_on[stream])
    more = np.flatnonzero(has_more)
    add_on_minor = np.array(world.ADD_ON_MINOR)[currency[stream]]
    second = _Lines(
        invoice=invoice[more],
        position=np.ones(len(more), dtype=np.int64),
        kind=np.where(is_upgrade, PRORATION_LINE, ADD_ON_LINE)[more],
        plan=np.where(is_upgrade, periods.end_plan, -1)[more],
        start_at=first.start_at[more],
        end_at=first.end_at[more],
        amount_minor=np.where(is_upgrade, charge, add_on_minor)[more],
        tax_minor=own["plan"][more],
        discount_minor=np.zeros(len(more), dtype=np.int64),
        promotion=own["promotion"][more],
    )
    joined = {
        field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)])
        for field in fields(_Lines)
    }
    order = np.lexsort((joined["position"], joined["invoice"]))
    ordered = {name: values[order] for name, values in joined.items()}
    rate = _TAX[people.country[streams.subscriber[stream[ordered["invoice"]]]]]
    ordered["tax_minor"] = divide_rounded(ordered["amount_minor"] * rate, 10_000)
    return _Lines(**ordered)


def _invoices(bills: _Bills, lines: _Lines, window: Window) -> _Invoices:
    periods = bills.periods
    size = len(periods)
    tax = np.bincount(lines.invoice, weights=lines.tax_minor, minlength=size).astype(np.int64)
    net = np.bincount(lines.invoice, weights=lines.amount_minor, minlength=size).astype(np.int64)
    paid_at = np.select(
        [bills.outcome == AT_ONCE, bills.outcome == AT_THE_CHECKOUT, bills.outcome == BY_A_RETRY],
        [bills.issued_at, bills.issued_at + 3 * MINUTE, _retry_at(periods, periods.retries)],
        NO_TIME,
    )
    return _Invoices(
        stream=periods.stream,
        month=periods.month,
        is_of_subscription=bills.kind != ONE_OFF_LINE,
        issued_at=bills.issued_at,
        outcome=bills.outcome,
        retries=np.where(bills.outcome == BY_A_RETRY, periods.retries, 0),
        paid_at=np.where(paid_at < window.end, paid_at, NO_TIME),
        total_minor=net + tax,
        tax_minor=tax,
    )


def _invoice_status(streams: Streams, invoices: _Invoices, window: Window) -> Ints:
    """Return the status as it stands at the window's end."""
    ended_at = streams.ended_at[invoices.stream]
    written_off = (invoices.outcome == NEVER_COLLECTED) & (ended_at < window.end)
    return np.select(
        [
            invoices.outcome == DRAFTED,
            invoices.outcome == VOIDED,
            written_off,
            invoices.paid_at != NO_TIME,
        ],
        [0, 3, 4, 2],
        1,
    ).astype(np.int64)


@dataclass(frozen=True)
class _Payments:
    """Attempts to be, one element each; `invoice` is the index of their invoice in the chunk."""

    invoice: Ints
    attempt: Ints
    at: Ints
    is_succeeded: Flags


def _payments(invoices: _Invoices, periods: Periods, window: Window) -> _Payments:
    index = np.arange(len(invoices.stream), dtype=np.int64)
    is_tried = invoices.outcome < VOIDED
    lost = invoices.outcome == NEVER_COLLECTED
    tries = np.select(
        [invoices.outcome == AT_THE_CHECKOUT, invoices.outcome == BY_A_RETRY, lost],
        [2, invoices.retries + 1, 1 + len(world.RETRY_DAYS)],
        1,
    )
    invoice, attempt = expand(np.where(is_tried, tries, 0))
    at_retry = _retry_at(periods.take(invoice), attempt)
    at_checkout = invoices.issued_at[invoice] + 3 * MINUTE * attempt
    is_present = invoices.outcome[invoice] <= AT_THE_CHECKOUT
    at = np.where(
        attempt == 0, invoices.issued_at[invoice], np.where(is_present, at_checkout, at_retry)
    )
    is_last = attempt == tries[invoice] - 1
    chosen = at < window.end
    return _Payments(
        invoice=index[invoice][chosen],
        attempt=attempt[chosen],
        at=at[chosen],
        is_succeeded=(is_last & ~lost[invoice])[chosen],
    )


def _refunds(
    rng: np.random.Generator,
    streams: Streams,
    invoices: _Invoices,
    payments: _Payments,
    window: Window,
) -> dict[str, Ints]:
    """Return refunds, chargebacks and reversals, `payment` being the index of their payment."""
    paid = np.flatnonzero(payments.is_succeeded)
    invoice = payments.invoice[paid]
    stream = invoices.stream[invoice]
    at, total, tax = payments.at[paid], invoices.total_minor[invoice], invoices.tax_minor[invoice]
    size = len(paid)
    is_leaving = (
        (streams.cause[stream] == REFUNDED)
        & (invoices.month[invoice] == streams.end_month[stream] - 1)
        & invoices.is_of_subscription[invoice]
    )
    chance = rng.random(size)
    is_refund = (chance < world.REFUND_RATE) | is_leaving
    is_chargeback = (chance > 1 - world.CHARGEBACK_RATE) & ~is_leaving
    is_part = (rng.random(size) < 0.4) & ~is_leaving
    later = (rng.random(size) * 18 * DAY).astype(np.int64) // SECOND * SECOND + DAY
    refund_at = np.where(is_leaving, streams.ended_at[stream], at + later)
    amount = np.where(is_refund & is_part, total // 2, total)
    amount_tax = np.where(is_refund & is_part, tax // 2, tax)
    disputed_at = at + 20 * DAY + 2 * later
    is_reversed = is_chargeback & (rng.random(size) < world.REVERSAL_SHARE)
    reason = np.where(is_leaving, 0, choose(rng, (0.6, 0.15, 0.25), size))
    masks = (is_refund & (amount > 0), is_chargeback, is_reversed)
    instants = (refund_at, disputed_at, disputed_at + 21 * DAY + later)
    rows = {
        "payment": np.concatenate([paid[mask] for mask in masks]),
        "kind": np.concatenate([np.full(int(mask.sum()), kind) for kind, mask in enumerate(masks)]),
        "at": np.concatenate([when[mask] for mask, when in zip(masks, instants, strict=True)]),
        "amount": np.concatenate([amount[masks[0]], total[masks[1]], total[masks[2]]]),
        "tax": np.concatenate([amount_tax[masks[0]], tax[masks[1]], tax[masks[2]]]),
        "reason": np.concatenate(
            [reason[masks[0]], np.full(int(masks[1].sum()), 3), np.full(int(masks[2].sum()), -1)]
        ),
    }
    chosen = rows["at"] < window.end
    return {name: values[chosen].astype(np.int64) for name, values in rows.items()}


def bill(
    rng: np.random.Generator,
    raw: dict[str, RawTable],
    people: Subscribers,
    streams: Streams,
    *,
    window: Window,
    numbering: Numbering,
) -> Billing:
    """Return the billing tables of a chunk: every row's own event time lies in the window."""
    currency = people.currency[streams.subscriber]
    periods = _periods(rng, streams, currency, window)
    changes = _all_changes(rng, streams, periods, window)
    tables = {
        "subscription_changes": _changes_table(
            rng,
            raw["subscription_changes"],
            people,
            streams,
            changes,
            first_stream=numbering.stream,
            window=window,
        )
    }
    bills = _bills(rng, streams, periods, window)
    lines = _lines(streams, people, bills)
    invoices = _invoices(bills, lines, window)
    payments = _payments(invoices, bills.periods, window)
    refunds = _refunds(rng, streams, invoices, payments, window)

    first = numbering.invoice
    numbers = first + np.arange(len(invoices.stream), dtype=np.int64)
    issued = recorded_after(rng, invoices.issued_at, window)
    currency_code = currency[invoices.stream]
    subscription = _subscription_numbers(streams, invoices.stream, invoices.month, numbering.stream)
    tables["invoices"] = to_table(
        raw["invoices"],
        {
            "invoice_id": ids("in_", numbers),
            "subscriber_id": ids("su_", people.first + streams.subscriber[invoices.stream]),
            "subscription_id": nullable(ids("sb_", subscription), ~invoices.is_of_subscription),
            "issued_at": times(invoices.issued_at),
            "status": labels(_invoice_status(streams, invoices, window), INVOICE_STATUSES),
            "currency": labels(currency_code, world.CURRENCIES),
            "total_minor": pa.array(invoices.total_minor),
            "tax_minor": pa.array(invoices.tax_minor),
            "recorded_at": times(issued),
        },
    )
    tables["invoice_lines"] = to_table(
        raw["invoice_lines"],
        {
            "invoice_line_id": ids("il_", numbers[lines.invoice] * 2 + lines.position),
            "invoice_id": ids("in_", numbers[lines.invoice]),
            "kind": labels(lines.kind, LINE_KINDS),
            "plan_id": labels(lines.plan, [plan.plan_id for plan in world.PLANS]),
            "period_start_at": times(lines.start_at),
            "period_end_at": times(lines.end_at),
            "amount_minor": pa.array(lines.amount_minor),
            "tax_minor": pa.array(lines.tax_minor),
            "discount_minor": pa.array(lines.discount_minor),
            "promotion_code": labels(lines.promotion, [p.code for p in world.PROMOTIONS]),
            "recorded_at": times(issued[lines.invoice]),
        },
    )
    method = streams.method[invoices.stream[payments.invoice]]
    total = invoices.total_minor[payments.invoice]
    fee_share = np.array([m.fee_basis_points for m in world.METHODS])[method]
    fee_fixed = np.array([m.fee_fixed_minor for m in world.METHODS])[
        method, currency_code[payments.invoice]
    ]
    fee = np.where(payments.is_succeeded, divide_rounded(total * fee_share, 10_000) + fee_fixed, 0)
    payment_numbers = numbers[payments.invoice] * 8 + payments.attempt
    failure = choose(rng, (0.55, 0.15, 0.2, 0.1), len(total))
    tables["payments"] = to_table(
        raw["payments"],
        {
            "payment_id": ids("pa_", payment_numbers),
            "invoice_id": ids("in_", numbers[payments.invoice]),
            "attempted_at": times(payments.at),
            "status": labels((~payments.is_succeeded).astype(np.int64), ("succeeded", "failed")),
            "amount_minor": pa.array(total),
            "currency": labels(currency_code[payments.invoice], world.CURRENCIES),
            "method": labels(method, [m.name for m in world.METHODS]),
            "failure_code": labels(
                np.where(payments.is_succeeded, -1, failure), world.FAILURE_CODES
            ),
            "fee_minor": pa.array(fee),
            "recorded_at": times(recorded_after(rng, payments.at, window)),
        },
    )
    of_invoice = payments.invoice[refunds["payment"]]
    tables["refunds"] = to_table(
        raw["refunds"],
        {
            "refund_id": ids("re_", payment_numbers[refunds["payment"]] * 4 + refunds["kind"]),
            "payment_id": ids("pa_", payment_numbers[refunds["payment"]]),
            "kind": labels(refunds["kind"], REFUND_KINDS),
            "refunded_at": times(refunds["at"]),
            "amount_minor": pa.array(refunds["amount"]),
            "tax_minor": pa.array(refunds["tax"]),
            "currency": labels(currency_code[of_invoice], world.CURRENCIES),
            "reason": labels(refunds["reason"], REFUND_REASONS),
            "recorded_at": times(recorded_after(rng, refunds["at"], window)),
        },
    )
    return Billing(
        tables=tables,
        periods=periods,
        numbering=Numbering(stream=numbering.stream + len(streams), invoice=first + len(numbers)),
        counts=_counts(streams, periods, invoices, window),
    )


def with_closing_change(billing: Billing, window: Window) -> Billing:
    """Return the billing with its latest change recorded in the closing batch.

    So the newest record of all is the window's last microsecond, also in a small service whose last
    hours are quiet.
    """
    changes = billing.tables["subscription_changes"]
    if not len(changes):
        return billing
    changed_at = np.asarray(changes["changed_at"].cast(pa.int64()).to_numpy())
    recorded_at = np.array(changes["recorded_at"].cast(pa.int64()).to_numpy())
    recorded_at[np.argmax(changed_at)] = window.end - 1
    position = changes.schema.get_field_index("recorded_at")
    closing = changes.set_column(position, changes.schema.field(position), times(recorded_at))
    return replace(billing, tables={**billing.tables, "subscription_changes": closing})


def _counts(
    streams: Streams, periods: Periods, invoices: _Invoices, window: Window
) -> dict[str, int]:
    """Return what came out of the draws, for the truth."""
    by_card = streams.method[invoices.stream] == 0
    tried = invoices.outcome < VOIDED
    declined = tried & (invoices.outcome != AT_ONCE)
    # a charge whose retries have all had their time
    settled = invoices.issued_at < window.end - world.GRACE_DAYS * DAY
    renewal = declined & (invoices.outcome != AT_THE_CHECKOUT)
    trials = streams.trial_at != NO_TIME
    over = trials & (streams.anchor_at < window.end)
    main = streams.role == MAIN
    lived = main & (streams.access_ends_at < window.end)
    return {
        "card_charges": int((tried & by_card).sum()),
        "card_charges_declined": int((declined & by_card).sum()),
        "declined_renewals_settled": int((renewal & settled).sum()),
        "declined_renewals_recovered": int(
            (renewal & settled & (invoices.outcome == BY_A_RETRY)).sum()
        ),
        "trials_started": int(trials.sum()),
        "trials_over": int(over.sum()),
        "trials_converted": int((over & main).sum()),
        "first_lifetimes": int(((streams.lifetime == 1) & (streams.anchor_at < window.end)).sum()),
        "later_lifetimes": int(((streams.lifetime > 1) & main).sum()),
        "annual_streams": int((main & (streams.long_from == 0)).sum()),
        "switches_to_annual": int(
            (periods.month == streams.long_from[periods.stream])[
                streams.long_from[periods.stream] > 0
            ].sum()
        ),
        "pauses": int((periods.month == streams.pause_from[periods.stream]).sum()),
        "plan_changes": int(
            (
                (streams.change_kind[periods.stream] != NO_CHANGE)
                & (periods.month == streams.change_month[periods.stream])
            ).sum()
        ),
        "subscription_switches": int((periods.month == streams.switch_month[periods.stream]).sum()),
        "second_subscriptions": int((streams.role == SECOND_SUBSCRIPTION).sum()),
        "gift_subscriptions": int((streams.role == GIFT).sum()),
        "complimentary_subscriptions": int((streams.role == COMPLIMENTARY).sum()),
        "trials_lost": int(((streams.role == TRIAL_ONLY) & (streams.ended_at < window.end)).sum()),
        "voluntary_ends": int((lived & (streams.cause == VOLUNTARY)).sum()),
        "involuntary_ends": int((lived & (streams.cause == INVOLUNTARY)).sum()),
        "refunded_ends": int((lived & (streams.cause == REFUNDED)).sum()),
        "admin_ends": int((lived & (streams.cause == ADMIN)).sum()),
    }
