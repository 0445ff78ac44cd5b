"""Small nasty services: random, the same for the same seed, and crowded around what goes wrong.

A run is many services over one clock, one time zone and one set of rates. Every id of a service
begins with its own prefix, the plan tiers too, so that a difference can be traced to its service
also in a mart by month. Instants come from a short list of awkward ones, so that rows collide.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from .intake import Row
from .local_time import TICK, LocalCalendar, month_range, previous_month
from .reference import Settings
from .stories import service, told
from .tables import raw_tables

RawRows = dict[str, list[Row]]

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ZONE_CLOCKS: dict[str, tuple[str, ...]] = {
    # what the clocks of a zone do shortly before one of these is what the zone is here for
    "UTC": ("2024-03-15 12:00", "2026-01-01", "2024-03-01 00:00:01"),
    "America/New_York": ("2026-11-22", "2020-12-01 05:00", "2024-03-10 06:30"),
    # midnight skipped in spring, and a last hour of the day that comes twice
    "America/Sao_Paulo": ("2018-12-05 02:00", "2019-03-01 03:00", "2018-02-18 02:30"),
    "Asia/Kathmandu": ("2026-02-01 18:14:59", "2025-12-31 18:15", "2026-06-10"),
    # the clock moves by half an hour, on the first of a month too
    "Australia/Lord_Howe": ("2023-10-02", "2018-05-01", "2012-04-30 13:30"),
    # midnight comes twice
    "Atlantic/Azores": ("2021-11-20", "2024-04-15 10:00", "2021-10-31 00:30"),
    "America/Havana": ("2020-11-15", "2026-11-22 06:00", "2020-11-01 04:30"),
    # midnight never comes
    "Asia/Beirut": ("2024-04-20", "2022-04-01 21:00", "2021-11-10 10:00"),
    # the hour before midnight never comes
    "America/Nuuk": ("2024-04-20 10:00", "2026-04-01 01:00", "2024-03-31 01:00"),
    # a whole day that never was
    "Pacific/Apia": ("2012-02-10", "2021-05-01 10:00", "2012-01-01 10:00"),
}
ZONES = (
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Havana",
    "America/Nuuk",
    "Asia/Kathmandu",
)

CURRENCIES = ("USD", "USD", "EUR", "EUR", "JPY", "KWD")
WINDOW_MONTHS = 8


@dataclass(frozen=True)
class Run:
    """Services that go through the pipeline together, and the vars that they go with.

    `rows` has the rows that belong to no service, `services` those of each service by prefix.
    """

    settings: Settings
    shared: RawRows
    services: dict[str, RawRows]

    @property
    def raw(self) -> RawRows:
        """Return all rows together."""
        return merged([self.shared, *self.services.values()])


def merged(parts: Iterable[RawRows]) -> RawRows:
    """Return the rows of all parts as one service."""
    whole = service([])
    for part in parts:
        for table, rows in part.items():
            whole[table] = whole[table] + rows
    return whole


class _Clock:
    """The awkward instants of a zone in the months before `as_of`."""

    def __init__(self, settings: Settings, as_of: datetime, rng: random.Random) -> None:
        self.as_of = as_of
        self.calendar = LocalCalendar(settings.reporting_timezone)
        self._churn_grace = timedelta(hours=settings.churn_grace_hours)
        self._rng = rng
        last = self.calendar.month_of(as_of - TICK)
        first = last
        for _ in range(WINDOW_MONTHS):
            first = previous_month(first)
        self.months = month_range(first, last)
        self.begin = self.calendar.first_instant(first)
        self._awkward = sorted(t for t in self._candidates() if self.begin <= t < as_of)

    def _candidates(self) -> set[datetime]:
        found = {
            self.as_of - distance
            for distance in (TICK, SECOND, DAY - SECOND, DAY, DAY + SECOND, DAY + HOUR, 28 * DAY)
        }
        for month in self.months:
            start = self.calendar.first_instant(month)
            found |= {start, start - TICK, start - SECOND, start + SECOND, start - DAY}
        found |= set(self._clock_changes())
        return found

    def _clock_changes(self) -> Iterable[datetime]:
        """Return the hours around each day that is not 24 hours long."""
        day = self.months[0]
        while (start := self.calendar.first_instant(day)) < self.as_of:
            day += DAY
            if self.calendar.first_instant(day) - start != DAY:
                for half_hours in range(-3, 56, 2):
                    yield start + half_hours * HOUR / 2
                yield self.calendar.first_instant(day)

    def awkward(self) -> datetime:
        """Return an instant at which something tends to go wrong, or any other."""
        if self._rng.random() < 0.7:
            return self._rng.choice(self._awkward)
        return self.any()

    def month_start(self) -> datetime:
        """Return the first instant of a month that has begun."""
        return self.calendar.first_instant(self._rng.choice(self.months))

    def last_chance(self) -> datetime:
        """Return a stop that is about to be final, or has just become so."""
        return self.as_of - self._churn_grace - self._rng.choice([TICK, timedelta(0), -TICK])

    def any(self) -> datetime:
        """Return any full second of the window."""
        seconds = (self.as_of - self.begin) // SECOND - 1
        return self.begin + self._rng.randint(0, seconds) * SECOND

    def pool(self, size: int) -> list[datetime]:
        """Return a few instants with neighbours at the distances that the rules name."""
        steps = (
            timedelta(0),
            SECOND,
            HOUR,
            10 * HOUR,
            DAY - SECOND,
            DAY,
            DAY + TICK,
            DAY + SECOND,
            28 * DAY,
            28 * DAY - SECOND,
            28 * DAY + SECOND,
            30 * DAY,
        )
        found = [self.awkward()]
        while len(found) < size:
            step = self._rng.choice(steps)
            found.append(
                self.awkward() if self._rng.random() < 0.4 else self._rng.choice(found) + step
            )
        return sorted(t for t in found if t < self.as_of) or [self.begin]


class _ServiceMaker:
    """One service: people, subscriptions, money and viewing around a few shared instants."""

    def __init__(self, prefix: str, clock: _Clock, rng: random.Random) -> None:
        self._prefix = prefix
        self._clock = clock
        self._rng = rng
        self._pool = clock.pool(rng.randint(3, 10))
        self._people = [f"{prefix}p{n}" for n in range(rng.randint(1, 6))]
        self._plans = [f"{prefix}plan{n}" for n in range(4)]
        self._raw = service([])
        self._number = 0

    def make(self) -> RawRows:
        """Return the service's rows, clean and dirty."""
        self._make_people()
        self._make_plans()
        # ties go by code point, where capitals come before and accents after
        for name in self._rng.sample(["s1", "s2", "s10", "S1", "S2", "\u00e91", "s3"], k=7)[
            : self._rng.randint(1, 7)
        ]:
            self._make_subscription(f"{self._prefix}{name}")
        if self._rng.random() < 0.4:
            self._make_gap(f"{self._prefix}s8", f"{self._prefix}s9")
        if self._rng.random() < 0.3:
            self._make_common_end()
        for person in self._people:
            self._make_money(person)
            self._make_viewing(person)
            self._make_contacts(person)
        if self._rng.random() < 0.25:
            self._make_erasure(self._rng.choice(self._people))
        _Dirt(self._prefix, self._clock, self._rng).spread(self._raw)
        return self._raw

    def _add(self, table: str, row: Row) -> Row:
        self._raw[table].append(row)
        return row

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{self._prefix}{kind}{self._number}"

    def _moment(self) -> datetime:
        return self._rng.choice(self._pool)

    def _recorded(self, happened_at: datetime) -> datetime:
        lag = self._rng.choice(
            (
                timedelta(0),
                TICK,
                SECOND,
                2 * HOUR,
                9 * DAY,
                -4 * timedelta(minutes=1),
                -5 * timedelta(minutes=1),
            )
        )
        # a late row is seen all the same, or nearly all stories near as_of would be beyond it
        return min(happened_at + lag, self._clock.as_of - TICK)

    def _make_people(self) -> None:
        for person in self._people:
            self._add(
                "subscribers",
                told(
                    "subscribers",
                    subscriber_id=person,
                    email=f"{person}@example.org",
                    country_code=self._rng.choice(["US", "BR", None, "unknown"]),
                    acquisition_channel=self._rng.choice(["organic", "ads", None]),
                    birth_year=self._rng.choice([1980, None]),
                    referred_by_subscriber_id=self._rng.choice([None, self._people[0]]),
                    signed_up_at=self._clock.begin - self._rng.choice([timedelta(0), 40 * DAY]),
                ),
            )

    def _make_plans(self) -> None:
        for number, plan in enumerate(self._plans):
            tier = f"{self._prefix}{('basic', 'basic', 'premium', 'family')[number]}"
            self._add("plans", told("plans", plan_id=plan, plan_name=plan, plan_tier=tier))

    def _make_subscription(self, subscription: str) -> None:
        rng = self._rng
        person, plan = rng.choice(self._people), rng.choice(self._plans)
        currency = rng.choice(CURRENCIES)
        unit, count = self._billing_period()
        amount = rng.choice([1000, 1000, 1000, 500, 1500, 333, 1, 0, 120000, 98765432109])
        moments = sorted(rng.choices(self._pool, k=rng.randint(1, 7)))
        for changed_at in moments:
            status = rng.choices(
                ["active", "past_due", "paused", "ended", "trialing"], [10, 5, 3, 5, 1]
            )[0]
            if rng.random() < 0.1:
                person = rng.choice(self._people)
            if rng.random() < 0.2:
                plan = rng.choice(self._plans)
            if rng.random() < 0.15:
                unit, count = self._billing_period()
            if rng.random() < 0.2:
                amount = rng.choice([1000, 0, 2000, 1500, 999])
            if rng.random() < 0.05:
                currency = rng.choice(CURRENCIES)
            self._add(
                "subscription_changes",
                told(
                    "subscription_changes",
                    change_id=self._id("c"),
                    subscription_id=subscription,
                    subscriber_id=person,
                    changed_at=changed_at,
                    status=status,
                    plan_id=plan,
                    billing_period_unit=unit,
                    billing_period_count=count,
                    amount_minor=amount,
                    currency=currency,
                    cancel_requested_at=rng.choice([None, changed_at + DAY]),
                    end_reason=self._end_reason(status),
                    cancel_feedback=rng.choice([None, None, "price", "technical", "it is loud"]),
                    recorded_at=self._recorded(changed_at),
                ),
            )

    def _make_gap(self, left: str, other: str) -> None:
        """Somebody stops, out of a pause or not, and is back about when the grace is over."""
        rng = self._rng
        person = rng.choice(self._people)
        stopped_at = rng.choice([self._moment, self._moment, self._clock.last_chance])()
        gap = rng.choice([SECOND, 10 * HOUR, DAY - SECOND, DAY, DAY + TICK, DAY + SECOND, 3 * DAY])
        began_at = stopped_at - rng.choice([HOUR, DAY, 30 * DAY])
        moments = [(left, began_at, "active"), (left, stopped_at, "ended")]
        if rng.random() < 0.4:
            moments.append((left, began_at + (stopped_at - began_at) / 2, "paused"))
        if rng.random() < 0.3:
            between = rng.choice(["paused", "trialing", "active"])
            moments.append((rng.choice([left, other]), stopped_at + gap / 2, between))
        moments.append((rng.choice([left, other]), stopped_at + gap, "active"))
        if rng.random() < 0.5:
            moments.append((other, stopped_at + gap + rng.choice([SECOND, DAY, 9 * DAY]), "ended"))
        for subscription, changed_at, status in moments:
            self._change(subscription, person, changed_at, status)

    def _make_common_end(self) -> None:
        """Somebody with several subscriptions of about the same worth loses all at one instant."""
        rng = self._rng
        person = rng.choice(self._people)
        ended_at = rng.choice([self._moment, self._clock.month_start])()
        for letter in "abc"[: rng.randint(2, 3)]:
            subscription = f"{self._prefix}e{letter}"
            began_at = ended_at - rng.choice([DAY, 9 * DAY, 40 * DAY])
            self._change(subscription, person, began_at, "active")
            if rng.random() < 0.3:
                self._change(subscription, person, ended_at - HOUR, "paused")
            how = rng.choice(["ended", "ended", "trialing"])
            self._change(subscription, person, ended_at, how)

    def _change(self, subscription: str, person: str, changed_at: datetime, status: str) -> None:
        """Add a change of a subscription that is random in all but these."""
        rng = self._rng
        if changed_at >= self._clock.as_of:
            return
        unit, count = self._billing_period()
        self._add(
            "subscription_changes",
            told(
                "subscription_changes",
                change_id=self._id("g"),
                subscription_id=subscription,
                subscriber_id=person,
                changed_at=changed_at,
                status=status,
                plan_id=rng.choice(self._plans),
                billing_period_unit=unit,
                billing_period_count=count,
                amount_minor=rng.choice([1000, 1000, 1000, 1050, 2000, 0]),
                currency=rng.choice(CURRENCIES),
                end_reason=self._end_reason(status),
                recorded_at=self._recorded(changed_at),
            ),
        )

    def _billing_period(self) -> tuple[str, int]:
        return self._rng.choice(
            [("month", 1)] * 6
            + [("year", 1), ("year", 2), ("month", 3), ("week", 1), ("week", 2), ("day", 1)]
            + [("day", 30), ("month", 7), ("year", 7), ("week", 53), ("day", 1000)]
        )

    def _end_reason(self, status: str) -> str | None:
        if status != "ended" and self._rng.random() < 0.9:
            return None
        return self._rng.choice(
            [
                "cancelled",
                "payment_failed",
                "trial_expired",
                "gift_ended",
                "refunded",
                "admin",
                "went on holiday",
                None,
            ]
        )

    def _make_money(self, person: str) -> None:
        rng = self._rng
        for _ in range(rng.randint(0, 3)):
            issued_at = self._moment()
            currency = rng.choice(CURRENCIES)
            invoice = self._id("i")
            self._add(
                "invoices",
                told(
                    "invoices",
                    invoice_id=invoice,
                    subscriber_id=person,
                    issued_at=issued_at,
                    status=rng.choice(
                        ["paid", "paid", "paid", "open", "draft", "void", "uncollectible"]
                    ),
                    currency=currency,
                    recorded_at=self._recorded(issued_at),
                ),
            )
            for _ in range(rng.randint(0, 3)):
                self._make_line(invoice)
            for _ in range(rng.randint(0, 2)):
                self._make_payment(invoice, currency)

    def _make_line(self, invoice: str) -> None:
        rng = self._rng
        # a period may be long past or far ahead, whenever it is billed
        distance = rng.choice([0] * 8 + [-1, 400]) * DAY
        start_at = self._moment() + distance
        length = rng.choice(
            [
                timedelta(0),
                HOUR,
                DAY,
                3 * DAY,
                30 * DAY,
                31 * DAY,
                92 * DAY,
                365 * DAY,
                self._moment() - start_at,
            ]
        )
        end_at = max(start_at, start_at + length)
        self._add(
            "invoice_lines",
            told(
                "invoice_lines",
                invoice_line_id=self._id("l"),
                invoice_id=invoice,
                kind=rng.choice(["subscription", "subscription", "proration", "add_on", "one_off"]),
                period_start_at=None if rng.random() < 0.1 else start_at,
                period_end_at=None if rng.random() < 0.1 else end_at,
                amount_minor=rng.choice([100, -100, 1000, 999, 7, 1, -1, 0, 12345, -98765432109]),
                promotion_code=rng.choice([None, "SPRING"]),
            ),
        )

    def _make_payment(self, invoice: str, currency: str) -> None:
        rng = self._rng
        attempted_at = self._moment()
        payment = self._id("y")
        amount = rng.choice([1000, 1200, 5, 0])
        self._add(
            "payments",
            told(
                "payments",
                payment_id=payment,
                invoice_id=invoice,
                attempted_at=attempted_at,
                status=rng.choice(["succeeded", "succeeded", "failed"]),
                amount_minor=amount,
                currency=currency,
                method=rng.choice(["card", "voucher", "pigeon"]),
                recorded_at=self._recorded(attempted_at),
            ),
        )
        for _ in range(rng.choice([0, 0, 1, 2])):
            refunded_at = self._moment()
            back = rng.choice(
                [amount, amount // 2, amount, amount + 1 if rng.random() < 0.2 else 0]
            )
            self._add(
                "refunds",
                told(
                    "refunds",
                    refund_id=self._id("r"),
                    payment_id=payment,
                    kind=rng.choice(["refund", "chargeback", "chargeback_reversal"]),
                    refunded_at=refunded_at,
                    amount_minor=back,
                    tax_minor=rng.choice([0, back // 6]),
                    currency=currency,
                    recorded_at=self._recorded(refunded_at),
                ),
            )

    def _make_viewing(self, person: str) -> None:
        rng = self._rng
        titles = [f"{self._prefix}t{n}" for n in range(3)]
        if person == self._people[0]:
            for title in titles[:2]:
                self._add(
                    "titles",
                    told(
                        "titles",
                        title_id=title,
                        content_type=rng.choice(["movie", "episode", "live", "clip", "hologram"]),
                        runtime_seconds=rng.choice([None, 30, 1800, 2000, 33]),
                    ),
                )
        for _ in range(rng.randint(0, 5)):
            started_at = self._moment() - rng.choice([timedelta(0), 10 * SECOND, HOUR, TICK])
            length = rng.choice(
                [
                    timedelta(0),
                    TICK,
                    10 * SECOND,
                    HOUR / 2,
                    HOUR,
                    3 * HOUR,
                    25 * HOUR,
                    49 * HOUR,
                    40 * DAY,
                ]
            )
            ended_at = started_at + length
            if ended_at >= self._clock.as_of and rng.random() < 0.8:
                ended_at = started_at
            self._add(
                "playback_sessions",
                told(
                    "playback_sessions",
                    session_id=self._id("v"),
                    subscriber_id=person,
                    title_id=rng.choice([None, *titles]),
                    device_type=rng.choice(["tv", "web", "fridge"]),
                    started_at=started_at,
                    ended_at=ended_at,
                    watched_seconds=rng.choice(
                        [0, 1, 7, 20, 27, 29, 30, 1619, 1620, 1800, 99999, 2_000_000_000]
                    ),
                    end_cause=rng.choice(["completed", "startup_failure", "meteor"]),
                    recorded_at=self._recorded(ended_at),
                ),
            )

    def _make_contacts(self, person: str) -> None:
        rng = self._rng
        moment = self._moment()
        recorded_at = self._recorded(moment)
        if rng.random() < 0.3:
            self._add(
                "support_tickets",
                told(
                    "support_tickets",
                    ticket_id=self._id("k"),
                    subscriber_id=person,
                    opened_at=moment,
                    resolved_at=rng.choice([None, moment, moment + DAY, moment - SECOND]),
                    topic=rng.choice(["billing", "weather"]),
                    recorded_at=recorded_at,
                ),
            )
        if rng.random() < 0.3:
            self._add(
                "survey_responses",
                told(
                    "survey_responses",
                    response_id=self._id("q"),
                    subscriber_id=person,
                    responded_at=moment,
                    comment=rng.choice([None, 'good, "really"\ngood']),
                    recorded_at=recorded_at,
                ),
            )
        if rng.random() < 0.3:
            self._add(
                "campaign_touches",
                told(
                    "campaign_touches",
                    touch_id=self._id("h"),
                    subscriber_id=person,
                    sent_at=moment,
                    channel=rng.choice(["email", "fax"]),
                    purpose=rng.choice(["save", "nuisance"]),
                    recorded_at=recorded_at,
                ),
            )

    def _make_erasure(self, person: str) -> None:
        rng = self._rng
        requested_at = self._moment()
        self._add(
            "erasure_requests",
            told(
                "erasure_requests",
                subscriber_id=person,
                requested_at=requested_at,
                recorded_at=self._recorded(requested_at),
            ),
        )
        # without a new sign-up, what comes after the request belongs to nobody who is known
        if rng.random() < 0.8:
            signed_up_at = min(
                requested_at + rng.choice([timedelta(0), SECOND, DAY]), self._clock.as_of - TICK
            )
            self._add(
                "subscribers",
                told(
                    "subscribers",
                    subscriber_id=person,
                    country_code=rng.choice(["US", "BR", None]),
                    acquisition_channel=rng.choice(["organic", "ads", None]),
                    signed_up_at=signed_up_at,
                    recorded_at=self._recorded(signed_up_at),
                ),
            )


class _Dirt:
    """Duplicates, revisions, late rows, and every broken rule, a few of each."""

    def __init__(self, prefix: str, clock: _Clock, rng: random.Random) -> None:
        self._prefix = prefix
        self._clock = clock
        self._rng = rng
        self._kinds: list[Callable[[str, Row], list[Row]]] = [
            self._twice,
            self._twice,
            self._revised,
            self._revised,
            self._flipped_back,
            self._late,
            self._early,
            self._with_null,
            self._without_key,
            self._unrecorded,
            self._unknown_value,
            self._unknown_currency,
            self._loose,
            self._impossible,
        ]

    def spread(self, raw: RawRows) -> None:
        """Add to or change about a tenth of the rows, in place."""
        share = self._rng.choice([0, 0, 0.05, 0.2])
        for table, rows in raw.items():
            made = []
            for row in rows:
                # a service whose plans or people are gone tells nothing
                weight = share / 4 if table in ("plans", "subscribers") else share
                spoil = self._rng.choice(self._kinds) if self._rng.random() < weight else None
                made += [row] if spoil is None else spoil(table, row)
            rows[:] = made

    def _later(self, row: Row) -> datetime:
        recorded_at: datetime = row["recorded_at"]
        return recorded_at + self._rng.choice([TICK, SECOND, DAY])

    def _twice(self, table: str, row: Row) -> list[Row]:
        del table
        return [row, dict(row), {**row, "recorded_at": self._later(row)}][: self._rng.randint(2, 3)]

    def changed(self, table: str, row: Row) -> Row:
        """Return the row with something about it that is different."""
        changes: dict[str, Callable[[], Row]] = {
            "subscribers": lambda: {"country_code": "DE"},
            "plans": lambda: {"plan_tier": f"{self._prefix}renamed"},
            "subscription_changes": lambda: self._rng.choice(
                [
                    {"amount_minor": 700},
                    {"status": "paused"},
                    {"changed_at": self._clock.awkward()},
                ]
            ),
            "invoices": lambda: {"status": "void"},
            "invoice_lines": lambda: {"amount_minor": 4321},
            "payments": lambda: {"amount_minor": 2},
            "refunds": lambda: {"amount_minor": 1, "tax_minor": 0},
            "playback_sessions": lambda: {"watched_seconds": 4444, "subscriber_id": self._other()},
            "titles": lambda: {"runtime_seconds": 60},
            "exchange_rates": lambda: {"rate": Decimal("1.5")},
            "erasure_requests": lambda: {
                "requested_at": row["requested_at"] and row["requested_at"] - HOUR
            },
            "support_tickets": lambda: {"csat_score": 5},
            "survey_responses": lambda: {"score": 3},
            "campaign_touches": lambda: {"offer_code": "BACK"},
            "marketing_spend": lambda: {"amount_minor": 5},
        }
        return {**row, **changes[table]()}

    def _other(self) -> str:
        return f"{self._prefix}p0"

    def _revised(self, table: str, row: Row) -> list[Row]:
        revision = self.changed(table, row)
        return [row, {**revision, "recorded_at": self._later(row)}]

    def _flipped_back(self, table: str, row: Row) -> list[Row]:
        revised = self._revised(table, row)[1]
        return [row, revised, {**row, "recorded_at": self._later(revised)}]

    def _late(self, table: str, row: Row) -> list[Row]:
        del table
        return [{**row, "recorded_at": self._clock.as_of + self._rng.choice([timedelta(0), DAY])}]

    def _early(self, table: str, row: Row) -> list[Row]:
        column = raw_tables()[table].event_time
        if column is None or not isinstance(row[column], datetime):
            return [row]
        lead = timedelta(minutes=5) + self._rng.choice([TICK, SECOND, timedelta(minutes=1)])
        return [{**row, "recorded_at": row[column] - lead}]

    def _with_null(self, table: str, row: Row) -> list[Row]:
        columns = [c.name for c in raw_tables()[table].columns if not c.is_nullable]
        return [{**row, self._rng.choice(columns): None}]

    def _without_key(self, table: str, row: Row) -> list[Row]:
        nameless = {**row, self._rng.choice(raw_tables()[table].key): None}
        return [row, nameless, dict(nameless)]

    def _unrecorded(self, table: str, row: Row) -> list[Row]:
        del table
        return [row, {**row, "recorded_at": None}]

    def _unknown_value(self, table: str, row: Row) -> list[Row]:
        del table
        columns = [c for c in ("status", "kind", "billing_period_unit") if c in row]
        return [{**row, self._rng.choice(columns): "Active"} if columns else row]

    def _unknown_currency(self, table: str, row: Row) -> list[Row]:
        del table
        return [{**row, "currency": "ZZZ"} if "currency" in row else row]

    def _loose(self, table: str, row: Row) -> list[Row]:
        columns = {
            "subscription_changes": ["subscriber_id", "plan_id"],
            "invoices": ["subscriber_id"],
            "invoice_lines": ["invoice_id"],
            "payments": ["invoice_id"],
            "refunds": ["payment_id"],
            "playback_sessions": ["subscriber_id"],
            "support_tickets": ["subscriber_id"],
            "survey_responses": ["subscriber_id"],
            "campaign_touches": ["subscriber_id"],
            "erasure_requests": ["subscriber_id"],
        }.get(table, [])
        return [{**row, self._rng.choice(columns): f"{self._prefix}nobody"} if columns else row]

    def _impossible(self, table: str, row: Row) -> list[Row]:
        changes: dict[str, list[Row]] = {
            "subscription_changes": [{"billing_period_count": 0}, {"amount_minor": -1}],
            "payments": [{"amount_minor": -1}],
            "refunds": [{"amount_minor": -1}, {"amount_minor": 100000}],
            "playback_sessions": [
                {"watched_seconds": -1},
                {"started_at": (row.get("ended_at") or row["recorded_at"]) + SECOND},
            ],
        }
        if table == "invoice_lines" and row["period_start_at"] is not None:
            return [{**row, "period_end_at": row["period_start_at"] - SECOND}]
        return [{**row, **self._rng.choice(changes[table])} if table in changes else row]


def _make_rates(clock: _Clock, rng: random.Random) -> RawRows:
    """Return rates that leave no month without one, found at the edges of the week before it.

    The reporting currency has rates too, which nobody may use.
    """
    raw = service([])
    # a story may begin some weeks before the window
    earliest = previous_month(previous_month(previous_month(clock.months[0])))
    for currency in ("USD", "EUR", "JPY", "KWD"):
        for month in month_range(earliest, clock.months[-1]):
            days = {month - timedelta(days=rng.choice([0, 1, 6, 7]))}
            days |= {month - timedelta(days=n) for n in rng.sample(range(-2, 10), 3)}
            for day in sorted(days):
                raw["exchange_rates"] += _rate_rows(clock, rng, day, currency)
    # the same day may have been drawn for two months
    unique = {(row["rate_date"], row["currency"]): row for row in raw["exchange_rates"]}
    raw["exchange_rates"] = list(unique.values())
    for row in rng.sample(raw["exchange_rates"], 5):
        raw["exchange_rates"].append({**row, "recorded_at": row["recorded_at"] + TICK})
    for row in rng.sample(raw["exchange_rates"], 3):
        older = {"rate": Decimal(9), "recorded_at": row["recorded_at"] - SECOND}
        raw["exchange_rates"].append({**row, **older})
    bad_day = clock.months[0] + timedelta(days=20)
    for changes in ({"rate": Decimal(0)}, {"currency": "ZZZ"}, {"rate": None}):
        row = told("exchange_rates", rate_date=bad_day, currency="EUR", rate=Decimal(1))
        raw["exchange_rates"].append({**row, **changes})
        bad_day += DAY
    raw["marketing_spend"] = _make_spend(clock, rng)
    return raw


def _rate_rows(clock: _Clock, rng: random.Random, day: date, currency: str) -> list[Row]:
    happened_at = clock.calendar.first_instant(day)
    if happened_at >= clock.as_of:
        return []
    rate = {
        "USD": ["0.9", "0.987654321098"],
        "EUR": ["1.1", "1.05", "1.000005", "1.123456789012", "0.5"],
        "JPY": ["0.0067", "0.00675", "0.007123456789", "0.01", "0.0000001"],
        "KWD": ["3.25", "3.255555555555", "3", "3.00005"],
    }[currency]
    recorded_at = min(
        happened_at + rng.choice([timedelta(minutes=-5), timedelta(0), HOUR, 40 * DAY]),
        clock.as_of - TICK,
    )
    return [
        told(
            "exchange_rates",
            rate_date=day,
            currency=currency,
            rate=Decimal(rng.choice(rate)),
            recorded_at=recorded_at,
        )
    ]


def _make_spend(clock: _Clock, rng: random.Random) -> list[Row]:
    rows = []
    for month in clock.months:
        for channel in ("organic", "ads"):
            spent = told(
                "marketing_spend",
                spend_date=month,
                acquisition_channel=channel,
                amount_minor=rng.randint(0, 10000),
                recorded_at=clock.calendar.first_instant(month),
            )
            rows.append(spent)
            if rng.random() < 0.2:
                rows.append({**spent, "acquisition_channel": None})
            if rng.random() < 0.2:
                rows.append({**spent, "recorded_at": spent["recorded_at"] + HOUR})
    return rows


def make_run(seed: int, zone: str, services: int) -> Run:
    """Return a run of so many services in `zone`; the same arguments give the same run."""
    rng = random.Random(f"{seed} {zone}")  # noqa: S311 - stories, not secrets
    as_of = datetime.fromisoformat(rng.choice(ZONE_CLOCKS[zone])).replace(tzinfo=UTC)
    calendar = LocalCalendar(zone)
    if rng.random() < 0.4:
        # a month that has just ended, or has a last instant to go
        edge = calendar.first_instant(calendar.month_of(as_of))
        as_of = edge + rng.choice([timedelta(0), SECOND, TICK, 10 * HOUR, DAY, -SECOND, -TICK])
    settings = Settings(
        as_of=as_of,
        reporting_currency=rng.choice(["USD", "USD", "EUR", "JPY"]),
        reporting_timezone=zone,
        past_due_grace_days=rng.choice([28, 28, 28, 0, 1, 30]),
        churn_grace_hours=rng.choice([24, 24, 24, 24, 0, 72]),
    )
    clock = _Clock(settings, as_of, rng)
    return Run(
        settings=settings,
        shared=_make_rates(clock, rng),
        services={
            prefix: _ServiceMaker(prefix, clock, rng).make()
            for prefix in (f"n{number:03}-" for number in range(services))
        },
    )


def on_its_own_clock(run: Run) -> Run:
    """Return the run with nothing recorded at or after `as_of`, and `as_of` left to the rows."""
    as_of = run.settings.as_of

    def without_late(raw: RawRows) -> RawRows:
        return {
            table: [r for r in rows if r["recorded_at"] is None or r["recorded_at"] < as_of]
            for table, rows in raw.items()
        }

    return Run(
        settings=replace(run.settings, as_of=None),
        shared=without_late(run.shared),
        services={prefix: without_late(raw) for prefix, raw in run.services.items()},
    )


def with_ties(run: Run, seed: int) -> Run:
    """Return the run with versions that nobody can tell which is newer, of a tenth of the rows."""
    if run.settings.as_of is None:
        message = "only a run with an as_of has a clock"
        raise ValueError(message)
    rng = random.Random(seed)  # noqa: S311 - stories, not secrets
    clock = _Clock(run.settings, run.settings.as_of, rng)

    def tied(prefix: str, raw: RawRows) -> RawRows:
        dirt = _Dirt(prefix, clock, rng)
        return {
            table: [*rows, *(dirt.changed(table, row) for row in rows if rng.random() < 0.1)]
            for table, rows in raw.items()
        }

    return replace(run, services={key: tied(key, raw) for key, raw in run.services.items()})


def runs(max_services: int = 3) -> st.SearchStrategy[Run]:
    """Return a Hypothesis strategy of small runs in all time zones."""
    return st.builds(
        make_run,
        seed=st.integers(0, 2**32),
        zone=st.sampled_from(ZONES),
        services=st.integers(0, max_services),
    )
