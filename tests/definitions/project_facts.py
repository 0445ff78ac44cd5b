"""What several of the project's marts ask for: months, people, days of viewing, held states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from .intake import ERASED_PREFIX, Row
from .local_time import TICK, month_of_date
from .project_figures import DAY, months_later
from .reference import Reference
from .timeline import Lifetime, Phase, State, Subscriber

Value = TypeVar("Value")

STARTUP_FAILURE = "startup_failure"

OF_SUBSCRIBERS = {
    "subscription_changes": "changed_at",
    "invoices": "issued_at",
    "playback_sessions": "started_at",
    "support_tickets": "opened_at",
    "survey_responses": "responded_at",
    "campaign_touches": "sent_at",
}
"""Tables with rows of a subscriber, and when what a row tells began."""


@dataclass
class ViewingDay:
    """What a subscriber watched on a local day, and the plays that began on it."""

    sessions: list[tuple[Row, int]] = field(default_factory=list)
    plays: list[Row] = field(default_factory=list)

    @property
    def seen_seconds(self) -> int:
        """Return the seconds watched: where nothing started, nothing was."""
        return sum(
            seconds for session, seconds in self.sessions if session["end_cause"] != STARTUP_FAILURE
        )


@dataclass(frozen=True)
class Person:
    """Somebody with an account: since when, and who brought them."""

    subscriber_id: str
    signed_up_at: datetime
    referred_by: str | None


@dataclass(frozen=True)
class HeldState:
    """A state that a subscriber holds, or that a bridged gap holds, and the request to end it."""

    state: State
    cancel_requested_at: datetime | None


@dataclass(frozen=True)
class Cancellation:
    """When a lifetime was cancelled, if it was, and whether it began soon after the one before."""

    subscriber_id: str
    lifetime: Lifetime
    cancelled_at: datetime | None
    is_resubscription: bool


def is_late(states: Iterable[State]) -> bool:
    """Return whether one of the states is past due."""
    return any(state.status == "past_due" for state in states)


def is_on_time(states: Iterable[State]) -> bool:
    """Return whether one of the states is paid without delay."""
    return any(state.status == "active" and state.is_paying for state in states)


def tells_of_its_buffer(play: Row) -> bool:
    """Return whether a play started and says how long it stalled; below 0 says nothing."""
    stalled = play["rebuffer_ms"]
    return play["end_cause"] != STARTUP_FAILURE and stalled is not None and stalled >= 0


class Facts:
    """One service, as the project's own marts see it."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.calendar = reference.calendar
        self.accepted = reference.intake.accepted

    # months

    @cached_property
    def months(self) -> list[date]:
        """Return every month from the first with anything in it."""
        firsts = [person.signed_up_at for person in self.people.values()]
        for table, column in {
            **OF_SUBSCRIBERS,
            "payments": "attempted_at",
            "refunds": "refunded_at",
        }.items():
            firsts += [row[column] for row in self.accepted[table]]
        firsts += [
            line["period_start_at"]
            for line in self.accepted["invoice_lines"]
            if line["period_start_at"] is not None
            and self.invoices[line["invoice_id"]]["status"] in ("open", "paid", "uncollectible")
        ]
        firsts += [
            self.calendar.first_instant(row["spend_date"])
            for row in self.accepted["marketing_spend"]
        ]
        return self.reference.months_from(self.calendar.month_of(min(firsts))) if firsts else []

    def begin_of(self, month: date) -> datetime:
        """Return the first instant of a month."""
        return self.reference.month_begin(month)

    def end_of(self, month: date) -> datetime:
        """Return the end of what has elapsed of a month."""
        return min(self.reference.month_end(month), self.reference.as_of)

    def until_date(self, month: date) -> date:
        """Return the day after the last one of the month that has begun."""
        return self.calendar.date_of(self.end_of(month) - TICK) + DAY

    def elapsed_days(self, month: date) -> int:
        """Return how many days of the month have begun; one that the zone skipped never does."""
        days = (self.until_date(month) - month).days
        return sum(
            self.calendar.first_instant(day) < self.calendar.first_instant(day + DAY)
            for day in (month + timedelta(days=n) for n in range(days))
        )

    def once_over(self, month: date, value: Value) -> Value | None:
        """Return the value, None while the month is open."""
        return value if self.reference.is_complete(month) else None

    # people

    @cached_property
    def invoices(self) -> dict[str, Row]:
        """Return every invoice by id."""
        return {row["invoice_id"]: row for row in self.accepted["invoices"]}

    @cached_property
    def payments(self) -> dict[str, Row]:
        """Return every attempt to collect by id."""
        return {row["payment_id"]: row for row in self.accepted["payments"]}

    @cached_property
    def attempts(self) -> dict[str, list[Row]]:
        """Return the attempts to collect each invoice."""
        found: dict[str, list[Row]] = defaultdict(list)
        for payment in self.accepted["payments"]:
            found[payment["invoice_id"]].append(payment)
        return found

    def collected_at(self, invoice_id: str) -> datetime | None:
        """Return when the first attempt to collect an invoice succeeded, None where none did."""
        paid = [r["attempted_at"] for r in self.attempts[invoice_id] if r["status"] == "succeeded"]
        return min(paid, default=None)

    @cached_property
    def subscribers(self) -> dict[str, Subscriber]:
        """Return everybody who ever held a subscription, by id."""
        return {found.subscriber_id: found for found in self.reference.subscribers}

    def lifetimes(self) -> Iterator[tuple[Subscriber, Lifetime]]:
        """Yield every lifetime with whose it is."""
        for subscriber in self.reference.subscribers:
            for lifetime in subscriber.lifetimes:
                yield subscriber, lifetime

    def lifetimes_of(self, subscriber_id: str) -> list[Lifetime]:
        """Return somebody's lifetimes, none of who never held a subscription."""
        subscriber = self.subscribers.get(subscriber_id)
        return subscriber.lifetimes if subscriber else []

    @cached_property
    def people(self) -> dict[str, Person]:
        """Return who has an account, by id.

        Of two who had one id after the other, each was there who signed up in their own time, or
        did anything: since then, and brought by nobody.
        """
        requests = {
            row["subscriber_id"].removeprefix(ERASED_PREFIX): row["requested_at"]
            for row in self.accepted["erasure_requests"]
        }
        first_active: dict[str, datetime] = {}
        for table, column in OF_SUBSCRIBERS.items():
            for row in self.accepted[table]:
                name = row["subscriber_id"]
                first_active[name] = min(row[column], first_active.get(name, row[column]))
        signed_up: dict[str, datetime] = {}
        brought: dict[str, str | None] = {}
        for row in self.accepted["subscribers"]:
            name = row["subscriber_id"]
            requested_at = requests.get(name.removeprefix(ERASED_PREFIX))
            is_erased = name.startswith(ERASED_PREFIX)
            if requested_at is None or (row["signed_up_at"] < requested_at) == is_erased:
                signed_up[name] = row["signed_up_at"]
                brought[name] = row["referred_by_subscriber_id"]
            elif name in first_active:
                first = first_active[name]
                # what began before the request and was over after it is the newcomer's
                signed_up[name] = first if is_erased else max(first, requested_at)
        people = {}
        for name, signed_up_at in signed_up.items():
            referrer = brought.get(name)
            if referrer is not None and signed_up_at < requests.get(referrer, signed_up_at):
                referrer = ERASED_PREFIX + referrer
            people[name] = Person(name, signed_up_at, None if referrer == name else referrer)
        return people

    def status_before(self, subscriber: Subscriber, instant: datetime) -> str:
        """Return the status just before an instant."""
        segment = subscriber.segment_at(instant - TICK)
        if segment is None or segment.tier is None:
            return "never_paid"
        return {Phase.PAYING: "paying", Phase.PAUSED: "paused", Phase.OUT: "churned"}[segment.phase]

    # states

    def held_states(self, subscriber: Subscriber, instant: datetime) -> list[HeldState]:
        """Return the states at an instant, and in a bridged gap those of before it."""
        found = [
            HeldState(state, self.change_at(key, instant)["cancel_requested_at"])
            for key, state in subscriber.states_at(instant).items()
        ]
        segment = subscriber.segment_at(instant)
        if segment is not None and segment.is_held:
            stopped_at = self._stopped_at(subscriber, instant)
            found += [
                HeldState(state, self.request_at_end(subscriber, key, stopped_at))
                for key, state in subscriber.states_at(stopped_at - TICK).items()
                if state.is_paying or state.status == "paused"
            ]
        return found

    def _stopped_at(self, subscriber: Subscriber, instant: datetime) -> datetime:
        """Return where the gap that holds at an instant began: at the last stop before it."""

        def is_stopped(at: datetime) -> bool:
            states = subscriber.states_at(at).values()
            return not any(s.is_paying or s.status == "paused" for s in states)

        return max(
            at
            for at in subscriber.instants
            if at <= instant and is_stopped(at) and not self._is_in_gap(subscriber, at - TICK)
        )

    @staticmethod
    def _is_in_gap(subscriber: Subscriber, instant: datetime) -> bool:
        segment = subscriber.segment_at(instant)
        return segment is not None and segment.is_held

    def change_at(self, subscription_id: str, instant: datetime) -> Row:
        """Return the change row that holds at an instant."""
        row = self.reference.subscriptions[subscription_id].row_at(instant)
        if row is None:
            message = f"{subscription_id} has no state at {instant}"
            raise AssertionError(message)
        return row

    def request_at_end(
        self, subscriber: Subscriber, subscription_id: str, ended_at: datetime
    ) -> datetime | None:
        """Return when an end was asked for, by the row that ends it or the one before."""
        ending = self.change_at(subscription_id, ended_at)
        last = self.change_at(subscription_id, ended_at - TICK)
        requested_at: datetime | None = last["cancel_requested_at"]
        # who takes a subscription over asks for themselves
        if ending["subscriber_id"] == subscriber.subscriber_id:
            requested_at = ending["cancel_requested_at"] or requested_at
        return requested_at

    @cached_property
    def cancellations(self) -> list[Cancellation]:
        """Return a cancellation for each lifetime, dated when it was asked for, else at the end."""
        found = []
        for subscriber in self.reference.subscribers:
            before: datetime | None = None
            for lifetime in subscriber.lifetimes:
                cancelled_at = self._cancelled_at(subscriber, lifetime)
                is_return = before is not None and lifetime.started_at <= months_later(before, 12)
                found.append(
                    Cancellation(subscriber.subscriber_id, lifetime, cancelled_at, is_return)
                )
                before = cancelled_at
        return found

    def _cancelled_at(self, subscriber: Subscriber, lifetime: Lifetime) -> datetime | None:
        ended_at = lifetime.ended_at
        if ended_at is not None:
            was_paying = bool(subscriber.paying_at(ended_at - TICK))
            requests = [
                self.request_at_end(subscriber, key, ended_at)
                for key, state in subscriber.states_at(ended_at - TICK).items()
                if (state.is_paying if was_paying else state.status == "paused")
            ]
        else:
            requests = [
                held.cancel_requested_at
                for held in self.held_states(subscriber, self.reference.as_of - TICK)
                if held.state.is_paying or held.state.status == "paused"
            ]
        # whoever asked for one of two to end asked for no end of the lifetime
        known = [request for request in requests if request is not None]
        asked_at = max(known) if known and len(known) == len(requests) else None
        if ended_at is not None:
            return min(max(asked_at or ended_at, lifetime.started_at), ended_at)
        if asked_at is None or asked_at >= self.reference.as_of:
            return None
        return max(asked_at, lifetime.started_at)

    # viewing

    @cached_property
    def viewing(self) -> dict[str, dict[date, ViewingDay]]:
        """Return the days of viewing of each subscriber."""
        found: dict[str, dict[date, ViewingDay]] = defaultdict(dict)
        for session in self.accepted["playback_sessions"]:
            days = found[session["subscriber_id"]]
            for number, (day, seconds) in enumerate(self.reference.shares_by_day(session)):
                told = days.setdefault(day, ViewingDay())
                told.sessions.append((session, seconds))
                if number == 0:
                    told.plays.append(session)
        return found

    def viewing_between(self, subscriber_id: str, first: date, end: date) -> list[ViewingDay]:
        """Return somebody's days of viewing from `first` up to, without, `end`."""
        return [told for day, told in self.viewing[subscriber_id].items() if first <= day < end]

    @cached_property
    def first_viewing_date(self) -> date | None:
        """Return the service's first day of viewing."""
        return min((day for days in self.viewing.values() for day in days), default=None)

    def is_measured(self, month: date) -> bool:
        """Return whether anybody had watched anything by the month's end."""
        first = self.first_viewing_date
        return first is not None and month_of_date(first) <= month

    @cached_property
    def first_plays(self) -> dict[str, Row]:
        """Return the first play of each subscriber since they signed up."""
        found: dict[str, Row] = {}
        for play in sorted(
            self.accepted["playback_sessions"], key=lambda p: (p["started_at"], p["session_id"])
        ):
            name = play["subscriber_id"]
            if play["started_at"] >= self.people[name].signed_up_at:
                found.setdefault(name, play)
        return found

    @cached_property
    def genres(self) -> dict[str, str]:
        """Return the genre of each title of the catalogue."""
        return {row["title_id"]: row["genre"] for row in self.accepted["titles"]}

    def genre_seconds(self, days: list[ViewingDay]) -> dict[str, int]:
        """Return the seconds watched of each known genre on some days."""
        found: dict[str, int] = defaultdict(int)
        for told in days:
            for session, seconds in told.sessions:
                genre = self.genres.get(session["title_id"])
                if genre is not None and session["end_cause"] != STARTUP_FAILURE and seconds > 0:
                    found[genre] += seconds
        return found
