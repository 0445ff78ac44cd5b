"""One random service: people, subscriptions, money and viewing around a few shared instants."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from .dirt import Dirt
from .intake import Row
from .local_time import TICK
from .moments import DAY, HOUR, SECOND, Clock
from .stories import RawRows, service, told

CURRENCIES = ("USD", "USD", "EUR", "EUR", "JPY", "KWD")


class ServiceMaker:
    """One service: people, subscriptions, money and viewing around a few shared instants."""

    def __init__(self, prefix: str, clock: Clock, rng: random.Random) -> None:
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
        Dirt(self._prefix, self._clock, self._rng).spread(self._raw)
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
        requested_at = None
        for changed_at in moments:
            # later rows repeat a request, also under another holder
            requested_at = rng.choice([None, changed_at + DAY, requested_at, requested_at])
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
                    cancel_requested_at=requested_at,
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
                    subscription_id=rng.choice([None, *self._subscriptions_of(person)]),
                    issued_at=issued_at,
                    status=rng.choice(
                        ["paid", "paid", "paid", "open", "draft", "void", "uncollectible"]
                    ),
                    currency=currency,
                    total_minor=rng.choice([1000, 1200, 0]),
                    tax_minor=rng.choice([0, 200, 199]),
                    recorded_at=self._recorded(issued_at),
                ),
            )
            for _ in range(rng.randint(0, 3)):
                self._make_line(invoice)
            for _ in range(rng.randint(0, 3)):
                self._make_payment(invoice, currency)
        for row in self._raw["subscription_changes"]:
            if row["subscriber_id"] == person and row["status"] == "active" and rng.random() < 0.4:
                self._bill(row)

    def _subscriptions_of(self, person: str) -> list[str]:
        changes = self._raw["subscription_changes"]
        held = {row["subscription_id"] for row in changes if row["subscriber_id"] == person}
        return sorted(held)

    def _bill(self, change: Row) -> None:
        """Bill a few months in a row from a change on, most of them with a code."""
        rng = self._rng
        for number in range(rng.randint(1, 4)):
            distance = rng.choice([timedelta(0)] * 4 + [-HOUR, -DAY, -DAY - TICK, HOUR])
            start_at = change["changed_at"] + number * 30 * DAY + distance
            invoice = self._id("b")
            self._add(
                "invoices",
                told(
                    "invoices",
                    invoice_id=invoice,
                    subscriber_id=change["subscriber_id"],
                    subscription_id=change["subscription_id"],
                    issued_at=start_at,
                    status=rng.choice(["paid", "paid", "open", "void"]),
                    recorded_at=start_at,
                ),
            )
            self._add(
                "invoice_lines",
                told(
                    "invoice_lines",
                    invoice_line_id=self._id("l"),
                    invoice_id=invoice,
                    period_start_at=rng.choice([start_at, start_at, start_at, None]),
                    period_end_at=rng.choice([start_at + 30 * DAY] * 3 + [None]),
                    amount_minor=900,
                    discount_minor=rng.choice([0, 100]),
                    promotion_code=rng.choice(["SPRING", "SPRING", "WELCOME", None]),
                ),
            )

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
                discount_minor=rng.choice([0, 0, 333]),
                promotion_code=rng.choice([None, "SPRING"]),
            ),
        )

    def _make_payment(self, invoice: str, currency: str) -> None:
        rng = self._rng
        attempted_at = self._moment() + rng.choice([timedelta(0)] * 3 + [TICK, HOUR, 7 * DAY])
        payment = self._id("y")
        amount = rng.choice([1000, 1200, 5, 0])
        self._add(
            "payments",
            told(
                "payments",
                payment_id=payment,
                invoice_id=invoice,
                attempted_at=attempted_at,
                status=rng.choice(["succeeded", "failed"]),
                amount_minor=amount,
                currency=currency,
                method=rng.choice(["card", "voucher", "pigeon"]),
                fee_minor=rng.choice([0, 0, 30]),
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
                        genre=rng.choice(["drama", "comedy", "Zeitgeist"]),
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
                    profile_id=rng.choice([None, "kids", "me"]),
                    title_id=rng.choice([None, *titles]),
                    device_type=rng.choice(["tv", "web", "fridge"]),
                    started_at=started_at,
                    ended_at=ended_at,
                    watched_seconds=rng.choice(
                        [0, 1, 7, 20, 27, 29, 30, 1619, 1620, 1800, 99999, 2_000_000_000]
                    ),
                    startup_ms=rng.choice([None, 0, 100, 350, 2500, -1]),
                    rebuffer_ms=rng.choice([None, 0, 0, 3, 4000, -5]),
                    end_cause=rng.choice(["completed", "error", "startup_failure", "meteor"]),
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
                    csat_score=rng.choice([None, 0, 1, 3, 4, 5, 6]),
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
                    kind=rng.choice(["nps", "csat"]),
                    score=rng.choice([-1, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
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
                    opened_at=rng.choice([None, moment + HOUR, moment + 40 * DAY]),
                    clicked_at=rng.choice([None, moment + 2 * HOUR]),
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
