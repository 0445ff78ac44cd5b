"""Subscriptions and subscribers through time: rules 1 to 6, and the plan of rule 9.

A state is asked for at an instant, and "just before" is one tick earlier. What is evaluated are
the few instants at which anything can change; between two of them nothing does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property

from .intake import Row
from .local_time import TICK, LocalCalendar
from .money import ZERO, Rates, monthly_amount

ACCESS_STATUSES = {"trialing", "active", "past_due"}


@dataclass(frozen=True)
class State:
    """A subscription at an instant.

    `mrr` is per month in the subscription's own currency, 0 where it doesn't pay. `status` is
    that of the change row, or `unpaid` for a `past_due` out of grace.
    """

    subscription_id: str
    subscriber_id: str
    status: str
    plan_id: str
    currency: str
    billing_period: tuple[str, int]
    mrr: Decimal
    amount_minor: int
    end_reason: str | None
    cancel_feedback: str | None

    @property
    def is_paying(self) -> bool:
        """Return whether there is MRR, judged before conversion."""
        return self.mrr > 0

    @property
    def has_access(self) -> bool:
        """Return whether the subscription lets somebody watch."""
        return self.status in ACCESS_STATUSES


class Subscription:
    """The change rows of one subscription, and its state at any instant."""

    def __init__(self, rows: Iterable[Row], grace: timedelta) -> None:
        self._rows = sorted(
            rows, key=lambda row: (row["changed_at"], row["recorded_at"], row["change_id"])
        )
        self._grace = grace

    def row_at(self, instant: datetime) -> Row | None:
        """Return the change row that holds at `instant`, None before the first."""
        # the last row of an instant is the one that lasts; those before it have no length
        return next((row for row in reversed(self._rows) if row["changed_at"] <= instant), None)

    def _past_due_since(self, instant: datetime) -> datetime:
        """Return when the unbroken run of `past_due` that holds at `instant` began."""
        began_at = instant
        row = self.row_at(began_at)
        while row is not None and row["status"] == "past_due":
            began_at = row["changed_at"]
            row = self.row_at(began_at - TICK)
        return began_at

    def state_at(self, instant: datetime) -> State | None:
        """Return the state that holds at `instant`, None before the first row."""
        row = self.row_at(instant)
        if row is None:
            return None
        status = row["status"]
        if status == "past_due" and instant >= self._past_due_since(instant) + self._grace:
            status = "unpaid"
        mrr = ZERO
        if status in ("active", "past_due"):
            mrr = monthly_amount(
                row["amount_minor"],
                row["currency"],
                row["billing_period_unit"],
                row["billing_period_count"],
            )
        return State(
            subscription_id=row["subscription_id"],
            subscriber_id=row["subscriber_id"],
            status=status,
            plan_id=row["plan_id"],
            currency=row["currency"],
            billing_period=(row["billing_period_unit"], row["billing_period_count"]),
            mrr=mrr,
            amount_minor=row["amount_minor"],
            end_reason=row["end_reason"] if row["status"] == "ended" else None,
            cancel_feedback=row["cancel_feedback"],
        )

    def instants(self, as_of: datetime) -> list[datetime]:
        """Return each instant before `as_of` at which a state of the subscription begins."""
        starts = {row["changed_at"] for row in self._rows}
        for start in list(starts):
            row = self.row_at(start)
            if row is not None and row["status"] == "past_due":
                lapse = self._past_due_since(start) + self._grace
                following = min((s for s in starts if s > start), default=as_of)
                if start < lapse < following:
                    starts.add(lapse)
        return sorted(start for start in starts if start < as_of)

    def intervals(self, as_of: datetime) -> list[tuple[datetime, datetime, State]]:
        """Return every state with its start and end, the last one running to `as_of`."""
        starts = self.instants(as_of)
        ends = [*starts[1:], as_of]
        found = []
        for start, end in zip(starts, ends, strict=True):
            state = self.state_at(start)
            if state is not None:
                found.append((start, end, state))
        return found


class Phase(Enum):
    """What a subscriber is, once gaps are bridged."""

    OUT = "out"
    PAYING = "paying"
    PAUSED = "paused"


@dataclass(frozen=True)
class Segment:
    """A subscriber between two neighbouring instants, gaps bridged.

    `level` holds the states that pay, by subscription, those of before the gap where `is_held`.
    `tier` is that of the last plan that was judged, None before the first payment.
    """

    started_at: datetime
    ended_at: datetime
    phase: Phase
    level: Mapping[str, State]
    has_access: bool
    is_held: bool
    tier: str | None


@dataclass
class Lifetime:
    """One lifetime of a subscriber, open where `ended_at` is None."""

    number: int
    started_at: datetime
    first_state: State
    first_tier: str
    ended_at: datetime | None = None
    end_type: str | None = None
    end_reason: str | None = None
    cancel_feedback: str | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Return whether the lifetime is going on at `instant`."""
        return self.started_at <= instant and (self.ended_at is None or instant < self.ended_at)


@dataclass(frozen=True)
class World:
    """What a timeline needs to know of its service."""

    as_of: datetime
    calendar: LocalCalendar
    rates: Rates
    tiers: Mapping[str, str]
    churn_grace: timedelta

    def value(self, state: State, instant: datetime) -> Decimal:
        """Return the MRR of a state at the rate of the local month of `instant`."""
        return self.rates.value(state.mrr, state.currency, self.calendar.month_of(instant))

    def level_value(self, level: Mapping[str, State], instant: datetime) -> Decimal:
        """Return the MRR of a level at the rate of the local month of `instant`."""
        return sum((self.value(state, instant) for state in level.values()), ZERO)

    def leading(self, states: Iterable[State], instant: datetime) -> State:
        """Return the state with the highest MRR, the first subscription id where several have."""
        return min(states, key=lambda s: (-self.value(s, instant), s.subscription_id))


@dataclass
class Subscriber:
    """One subscriber's way through all subscriptions ever held."""

    subscriber_id: str
    subscriptions: Mapping[str, Subscription]
    world: World
    _lifetimes: list[Lifetime] = field(default_factory=list)

    @property
    def lifetimes(self) -> list[Lifetime]:
        """Return the lifetimes in order; they are found on the way through the segments."""
        return self._lifetimes if self.segments else []

    def states_at(self, instant: datetime) -> dict[str, State]:
        """Return the states that are this subscriber's at `instant`, by subscription."""
        found = {}
        for subscription_id, subscription in self.subscriptions.items():
            state = subscription.state_at(instant)
            if state is not None and state.subscriber_id == self.subscriber_id:
                found[subscription_id] = state
        return found

    def paying_at(self, instant: datetime) -> dict[str, State]:
        """Return the states that pay at `instant`, before any gap is bridged."""
        return {k: s for k, s in self.states_at(instant).items() if s.is_paying}

    def _is_paused_at(self, instant: datetime) -> bool:
        return any(s.status == "paused" for s in self.states_at(instant).values())

    @cached_property
    def instants(self) -> list[datetime]:
        """Return where a state of the subscriber begins: one of a subscription begins or goes."""
        found = set()
        for subscription in self.subscriptions.values():
            for start, end, state in subscription.intervals(self.world.as_of):
                if state.subscriber_id == self.subscriber_id:
                    found |= {start, end}
        return sorted(found - {self.world.as_of})

    def _return_after(self, stopped_at: datetime) -> datetime | None:
        """Return when the subscriber next pays after a stop, None if not seen to."""
        return next((t for t in self.instants if t > stopped_at and self.paying_at(t)), None)

    @cached_property
    def segments(self) -> list[Segment]:
        """Return the subscriber's whole way to `as_of`."""
        way: list[Segment] = []
        held_until: datetime | None = None
        # none where every state of the subscriber was of no length
        ends = [*self.instants[1:], self.world.as_of][: len(self.instants)]
        for start, end in zip(self.instants, ends, strict=True):
            last = way[-1] if way else None
            if held_until is not None and start < held_until:
                way.append(self._holding(way[-1], start, end))
                continue
            held_until = None
            if last is not None and last.phase is not Phase.OUT and self._stops_at(start):
                held_until = self._held_until(start)
                if held_until is not None:
                    way.append(self._holding(last, start, end))
                    continue
                self._end_lifetime(start, last)
            way.append(self._plain(last, start, end))
        return way

    def _stops_at(self, instant: datetime) -> bool:
        return not self.paying_at(instant) and not self._is_paused_at(instant)

    def _held_until(self, stopped_at: datetime) -> datetime | None:
        """Return until when a stop has not happened, None where it is a churn."""
        back_at = self._return_after(stopped_at)
        deadline = stopped_at + self.world.churn_grace
        if back_at is not None and back_at <= deadline:
            return back_at
        return self.world.as_of if self.world.as_of <= deadline else None

    def _holding(self, last: Segment, start: datetime, end: datetime) -> Segment:
        states = self.states_at(start).values()
        return Segment(
            started_at=start,
            ended_at=end,
            phase=last.phase,
            level=last.level,
            has_access=last.phase is Phase.PAYING or any(s.has_access for s in states),
            is_held=True,
            tier=last.tier,
        )

    def _plain(self, last: Segment | None, start: datetime, end: datetime) -> Segment:
        level = self.paying_at(start)
        was_out = last is None or last.phase is Phase.OUT
        tier = None if last is None else last.tier
        phase = Phase.OUT
        if level:
            phase = Phase.PAYING
            leading = self.world.leading(level.values(), start)
            tier = self.world.tiers[leading.plan_id]
            if was_out:
                self._lifetimes.append(
                    Lifetime(
                        number=len(self._lifetimes) + 1,
                        started_at=start,
                        first_state=leading,
                        first_tier=tier,
                    )
                )
        elif not was_out and self._is_paused_at(start):
            phase = Phase.PAUSED
        return Segment(
            started_at=start,
            ended_at=end,
            phase=phase,
            level=level,
            has_access=any(s.has_access for s in self.states_at(start).values()),
            is_held=False,
            tier=tier,
        )

    def _end_lifetime(self, stopped_at: datetime, last: Segment) -> None:
        lifetime = self._lifetimes[-1]
        lifetime.ended_at = stopped_at
        before = self.states_at(stopped_at - TICK).values()
        candidates = [s for s in before if (s.is_paying if last.level else s.status == "paused")]
        ending = self.world.leading(candidates, stopped_at)
        after = self.subscriptions[ending.subscription_id].state_at(stopped_at)
        if after is None:
            message = f"{ending.subscription_id} has no state where it stopped"
            raise AssertionError(message)
        lifetime.end_type = self._end_type(after)
        lifetime.end_reason = "payment_failed" if after.status == "unpaid" else after.end_reason
        lifetime.cancel_feedback = after.cancel_feedback

    def _end_type(self, after: State) -> str:
        if after.subscriber_id != self.subscriber_id:
            return "voluntary"
        if after.status == "unpaid" or after.end_reason == "payment_failed":
            return "involuntary"
        if after.end_reason in ("admin", "gift_ended"):
            return "other"
        if after.status in ("active", "past_due") and after.amount_minor == 0:
            return "other"
        return "voluntary"

    def segment_at(self, instant: datetime) -> Segment | None:
        """Return the segment that holds at `instant`, None before the first one."""
        return next((s for s in self.segments if s.started_at <= instant < s.ended_at), None)
