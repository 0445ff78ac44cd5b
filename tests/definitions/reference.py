"""The contract's marts, from raw rows, one definition at a time and as naively as it reads.

`build_marts` is the whole of it. Nothing is fast here: it asks for the state at an instant where
SQL would use a window, so that the two can only agree by meaning the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from .intake import Intake, Raw, Row, take_in
from .local_time import (
    TICK,
    LocalCalendar,
    month_of_date,
    month_range,
    months_between,
    next_month,
)
from .money import (
    ZERO,
    MissingRatesError,
    Rates,
    major,
    round_amount,
    running_share,
)
from .survival import kaplan_meier
from .timeline import Lifetime, Phase, Segment, State, Subscriber, Subscription, World

Marts = dict[str, list[Row]]
Group = tuple[str, str, str]
Sums = dict[tuple[date, str], Decimal]

MOVEMENT_CATEGORIES = (
    "new",
    "reactivation",
    "expansion",
    "contraction",
    "pause",
    "resume",
    "churn",
    "fx",
)
BRIDGE_CATEGORIES = (*MOVEMENT_CATEGORIES, "transfer_in", "transfer_out")
UNKNOWN = "unknown"
VALID_PLAY_SECONDS = 30


@dataclass(frozen=True)
class Settings:
    """The project's vars, with the defaults of the contract."""

    as_of: datetime | None = None
    reporting_currency: str = "USD"
    reporting_timezone: str = "UTC"
    past_due_grace_days: int = 28
    churn_grace_hours: int = 24


@dataclass(frozen=True)
class Movement:
    """One movement of a subscriber, with the plan tiers that it falls on.

    `old_tier` differs from `tier` where the subscriber moved between tiers at that instant.
    """

    subscriber_id: str
    moved_at: datetime
    month_start: date
    category: str
    amount: Decimal
    tier: str
    is_billing_period_change: bool = False


@dataclass(frozen=True)
class Transfer:
    """A subscriber who went from one plan tier to another, with the level held before."""

    subscriber_id: str
    month_start: date
    old_tier: str
    new_tier: str
    amount: Decimal


class Reference:
    """One service under one set of vars, and every mart of it."""

    def __init__(self, raw: Raw, settings: Settings) -> None:
        self.settings = settings
        self.calendar = LocalCalendar(settings.reporting_timezone)
        self.intake: Intake = take_in(raw, settings.as_of, self.calendar)
        self.rates = Rates(self.intake.accepted["exchange_rates"], settings.reporting_currency)
        self.tiers = {row["plan_id"]: row["plan_tier"] for row in self.intake.accepted["plans"]}
        self._people = {row["subscriber_id"]: row for row in self.intake.accepted["subscribers"]}

    @property
    def as_of(self) -> datetime:
        """Return the knowledge horizon; an empty service has none and never asks."""
        if self.intake.as_of is None:
            message = "a service without any record has no as_of"
            raise ValueError(message)
        return self.intake.as_of

    @cached_property
    def last_month(self) -> date:
        """Return the month of the last instant before `as_of`."""
        return self.calendar.month_of(self.as_of - TICK)

    def month_begin(self, month: date) -> datetime:
        """Return the first instant of a month."""
        return self.calendar.first_instant(month)

    def month_end(self, month: date) -> datetime:
        """Return the first instant after a month."""
        return self.calendar.first_instant(next_month(month))

    def is_complete(self, month: date) -> bool:
        """Return whether a month is over."""
        return self.month_end(month) <= self.as_of

    def months_from(self, first: date) -> list[date]:
        """Return the months from `first` to the last one that has begun."""
        return month_range(first, self.last_month)

    def country_of(self, subscriber_id: str) -> str:
        """Return the country of today, `unknown` where none is known."""
        country = self._people[subscriber_id]["country_code"]
        return UNKNOWN if country is None else str(country)

    def channel_of(self, subscriber_id: str) -> str:
        """Return the channel of today, `unknown` where none is known."""
        channel = self._people[subscriber_id]["acquisition_channel"]
        return UNKNOWN if channel is None else str(channel)

    def group_of(self, subscriber_id: str, tier: str) -> Group:
        """Return the cell of the bridges that a subscriber on a tier is in."""
        return tier, self.country_of(subscriber_id), self.channel_of(subscriber_id)

    # states, lifetimes, movements

    @cached_property
    def subscriptions(self) -> dict[str, Subscription]:
        """Return every subscription by id."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self.intake.accepted["subscription_changes"]:
            rows[row["subscription_id"]].append(row)
        grace = timedelta(days=self.settings.past_due_grace_days)
        return {key: Subscription(value, grace) for key, value in rows.items()}

    @cached_property
    def subscribers(self) -> list[Subscriber]:
        """Return everybody who ever held a subscription."""
        held: dict[str, set[str]] = defaultdict(set)
        for row in self.intake.accepted["subscription_changes"]:
            held[row["subscriber_id"]].add(row["subscription_id"])
        if not held:
            return []
        world = World(
            as_of=self.as_of,
            calendar=self.calendar,
            rates=self.rates,
            tiers=self.tiers,
            churn_grace=timedelta(hours=self.settings.churn_grace_hours),
        )
        return [
            Subscriber(
                subscriber_id=subscriber_id,
                subscriptions={key: self.subscriptions[key] for key in sorted(keys)},
                world=world,
            )
            for subscriber_id, keys in sorted(held.items())
        ]

    def fct_subscription_states(self) -> list[Row]:
        """Return every state of a subscription that has some length."""
        return [
            {
                "subscription_id": subscription_id,
                "subscriber_id": state.subscriber_id,
                "status": state.status,
                "plan_id": state.plan_id,
                "valid_from": start,
                "valid_to": None if end == self.as_of else end,
                "mrr_amount": self._worth(state, start) if state.status != "unpaid" else ZERO,
            }
            for subscription_id, subscription in self.subscriptions.items()
            for start, end, state in subscription.intervals(self.as_of)
        ]

    def _worth(self, state: State, instant: datetime) -> Decimal:
        return self.rates.value(state.mrr, state.currency, self.calendar.month_of(instant))

    def fct_subscriber_lifetimes(self) -> list[Row]:
        """Return every lifetime."""
        return [
            {
                "subscriber_id": subscriber.subscriber_id,
                "lifetime_number": lifetime.number,
                "started_at": lifetime.started_at,
                "ended_at": lifetime.ended_at,
                "end_type": lifetime.end_type,
                "end_reason": lifetime.end_reason,
                "cancel_feedback": lifetime.cancel_feedback,
            }
            for subscriber in self.subscribers
            for lifetime in subscriber.lifetimes
        ]

    @cached_property
    def movements(self) -> list[Movement]:
        """Return every movement of every subscriber, those of 0 left out."""
        return [
            movement
            for subscriber in self.subscribers
            for instant in self.turning_points(subscriber)
            for movement in self._movements_at(subscriber, instant)
        ]

    @cached_property
    def transfers(self) -> list[Transfer]:
        """Return every move between plan tiers within a lifetime."""
        found = []
        for subscriber in self.subscribers:
            for instant in subscriber.instants:
                before = subscriber.segment_at(instant - TICK)
                after = subscriber.segment_at(instant)
                if before is None or after is None or before.tier == after.tier:
                    continue
                if Phase.OUT in (before.phase, after.phase):
                    continue
                found.append(
                    Transfer(
                        subscriber_id=subscriber.subscriber_id,
                        month_start=self.calendar.month_of(instant),
                        old_tier=str(before.tier),
                        new_tier=str(after.tier),
                        amount=self.level_worth(before, instant),
                    )
                )
        return found

    def level_worth(self, segment: Segment | None, instant: datetime) -> Decimal:
        """Return what a segment's level is worth at the rates of the month of `instant`."""
        if segment is None:
            return ZERO
        return sum((self._worth(state, instant) for state in segment.level.values()), ZERO)

    def turning_points(self, subscriber: Subscriber) -> list[datetime]:
        """Return the subscriber's own instants and the month starts that follow the first."""
        if not subscriber.instants:
            return []
        first = self.calendar.month_of(subscriber.instants[0])
        starts = {self.month_begin(month) for month in self.months_from(first)[1:]}
        return sorted(starts | set(subscriber.instants))

    def _movements_at(self, subscriber: Subscriber, instant: datetime) -> list[Movement]:
        month = self.calendar.month_of(instant)
        before = subscriber.segment_at(instant - TICK)
        after = subscriber.segment_at(instant)
        found = []
        if before is not None and instant == self.month_begin(month):
            revalued = self.level_worth(before, instant)
            fx = revalued - self.level_worth(before, instant - TICK)
            found.append(("fx", fx, before.tier, False))
        if after is not None:
            found.append(self.movement(before, after, instant))
        return [
            Movement(
                subscriber_id=subscriber.subscriber_id,
                moved_at=instant,
                month_start=month,
                category=category,
                amount=amount,
                tier=str(tier),
                is_billing_period_change=is_billing_period_change,
            )
            for category, amount, tier, is_billing_period_change in found
            if amount != 0
            or (category == "churn" and before is not None and before.phase is Phase.PAUSED)
        ]

    def movement(
        self, before: Segment | None, after: Segment, instant: datetime
    ) -> tuple[str, Decimal, str | None, bool]:
        """Return the category, amount, tier and billing flag of what happens at `instant`."""
        old = Phase.OUT if before is None else before.phase
        old_level = {} if before is None else before.level
        change = self.level_worth(after, instant) - self.level_worth(before, instant)
        if old is after.phase:
            switched = any(
                subscription_id in after.level
                and after.level[subscription_id].billing_period != state.billing_period
                for subscription_id, state in old_level.items()
            )
            category = "expansion" if change > 0 else "contraction"
            return category, change, after.tier, switched
        if old is Phase.OUT:
            is_first = before is None or before.tier is None
            return "new" if is_first else "reactivation", change, after.tier, False
        if after.phase is Phase.OUT:
            return "churn", change, None if before is None else before.tier, False
        category = "pause" if after.phase is Phase.PAUSED else "resume"
        return category, change, after.tier, False

    def fct_mrr_movements(self) -> list[Row]:
        """Return the movements."""
        return [
            {
                "subscriber_id": movement.subscriber_id,
                "moved_at": movement.moved_at,
                "month_start": movement.month_start,
                "category": movement.category,
                "mrr_change_amount": movement.amount,
                "is_billing_period_change": movement.is_billing_period_change,
            }
            for movement in self.movements
        ]

    # the bridges by month

    def mrr_bridge_monthly(self) -> list[Row]:
        """Return the MRR bridge, its openings and closings asked for and not summed up."""
        changes: dict[tuple[date, Group, str], Decimal] = defaultdict(lambda: ZERO)
        first_months: dict[Group, date] = {}

        def note(month: date, group: Group) -> None:
            first_months[group] = min(month, first_months.get(group, month))

        for movement in self.movements:
            group = self.group_of(movement.subscriber_id, movement.tier)
            changes[movement.month_start, group, movement.category] += movement.amount
            note(movement.month_start, group)
        for transfer in self.transfers:
            old_group = self.group_of(transfer.subscriber_id, transfer.old_tier)
            new_group = self.group_of(transfer.subscriber_id, transfer.new_tier)
            changes[transfer.month_start, old_group, "transfer_out"] -= transfer.amount
            changes[transfer.month_start, new_group, "transfer_in"] += transfer.amount
            note(transfer.month_start, new_group)

        rows = []
        for group, first in first_months.items():
            for month in self.months_from(first):
                row: Row = self._group_columns(month, group)
                row["opening_mrr_amount"] = self._level_before(self.month_begin(month), group)
                for category in BRIDGE_CATEGORIES:
                    row[f"{category}_mrr_amount"] = changes[month, group, category]
                row["closing_mrr_amount"] = self._level_before(
                    min(self.month_end(month), self.as_of), group
                )
                rows.append(row)
        return rows

    def _group_columns(self, month: date, group: Group) -> Row:
        tier, country, channel = group
        return {
            "month_start": month,
            "plan_tier": tier,
            "country_code": country,
            "acquisition_channel": channel,
            "is_complete": self.is_complete(month),
        }

    def _level_before(self, instant: datetime, group: Group) -> Decimal:
        """Return what a group's level is worth just before `instant`."""
        just_before = instant - TICK
        total = ZERO
        for subscriber in self.subscribers:
            segment = subscriber.segment_at(just_before)
            if segment is None or segment.tier is None:
                continue
            if self.group_of(subscriber.subscriber_id, segment.tier) == group:
                total += self.level_worth(segment, just_before)
        return total

    def churn_monthly(self) -> list[Row]:
        """Return lifetimes by month and group, each count asked for on its own."""
        first_months: dict[Group, date] = {}
        tallies: Counter[tuple[date, Group, str]] = Counter()

        def count(month: date, group: Group, column: str) -> None:
            tallies[month, group, column] += 1
            first_months[group] = min(month, first_months.get(group, month))

        for subscriber in self.subscribers:
            for lifetime in subscriber.lifetimes:
                self._count_lifetime(subscriber, lifetime, count)
        for transfer in self.transfers:
            old_group = self.group_of(transfer.subscriber_id, transfer.old_tier)
            new_group = self.group_of(transfer.subscriber_id, transfer.new_tier)
            count(transfer.month_start, old_group, "transferred_out")
            count(transfer.month_start, new_group, "transferred_in")
        columns = (
            "opening_subscribers",
            "new_subscribers",
            "reactivated_subscribers",
            "churned_subscribers",
            "churned_from_opening",
            "voluntary_churned_subscribers",
            "involuntary_churned_subscribers",
            "other_churned_subscribers",
            "closing_subscribers",
            "transferred_in",
            "transferred_out",
        )
        return [
            self._group_columns(month, group)
            | {column: tallies[month, group, column] for column in columns}
            for group, first in first_months.items()
            for month in self.months_from(first)
        ]

    def _count_lifetime(
        self, subscriber: Subscriber, lifetime: Lifetime, count: Callable[[date, Group, str], None]
    ) -> None:
        subscriber_id = subscriber.subscriber_id
        start_month = self.calendar.month_of(lifetime.started_at)
        start_group = self.group_of(subscriber_id, lifetime.first_tier)
        count(
            start_month,
            start_group,
            "new_subscribers" if lifetime.number == 1 else "reactivated_subscribers",
        )
        end_month = None
        if lifetime.ended_at is not None:
            end_month = self.calendar.month_of(lifetime.ended_at)
            group = self._group_before(subscriber, lifetime.ended_at)
            count(end_month, group, "churned_subscribers")
            count(end_month, group, f"{lifetime.end_type}_churned_subscribers")
        for month in self.months_from(start_month):
            begin = self.month_begin(month)
            if lifetime.holds_at(begin - TICK):
                group = self._group_before(subscriber, begin)
                count(month, group, "opening_subscribers")
                if month == end_month:
                    count(month, group, "churned_from_opening")
            end = min(self.month_end(month), self.as_of)
            if lifetime.holds_at(end - TICK):
                count(month, self._group_before(subscriber, end), "closing_subscribers")

    def _group_before(self, subscriber: Subscriber, instant: datetime) -> Group:
        segment = subscriber.segment_at(instant - TICK)
        if segment is None or segment.tier is None:
            message = f"{subscriber.subscriber_id} has no plan before {instant}"
            raise AssertionError(message)
        return self.group_of(subscriber.subscriber_id, segment.tier)

    # revenue

    def revenue_monthly(self) -> list[Row]:
        """Return the months' revenue and the averages that it is divided by."""
        sums: Sums = defaultdict(lambda: ZERO)
        for _, month, kind, amount in self.money_movements():
            sums[month, kind] += amount
        first = min(
            [month for month, _ in sums]
            + [self.calendar.month_of(s.instants[0]) for s in self.subscribers if s.instants],
            default=None,
        )
        return (
            [] if first is None else [self._revenue_row(m, sums) for m in self.months_from(first)]
        )

    def _revenue_row(self, month: date, sums: Sums) -> Row:
        begin, end = self.month_begin(month), min(self.month_end(month), self.as_of)
        paying = with_access = Fraction(0)
        for subscriber in self.subscribers:
            for segment in subscriber.segments:
                overlap = min(end, segment.ended_at) - max(begin, segment.started_at)
                share = max(Fraction(overlap // TICK, (end - begin) // TICK), Fraction(0))
                paying += share if segment.phase is Phase.PAYING else 0
                with_access += share if segment.has_access else 0
        amounts = {
            name: sums[month, name]
            for name in ("recognised", "refunded", "uncollectible", "collected")
        }
        net = amounts["recognised"] - amounts["refunded"]
        return {
            "month_start": month,
            "recognised_amount": amounts["recognised"],
            "refunded_amount": amounts["refunded"],
            "net_revenue_amount": net,
            "uncollectible_amount": amounts["uncollectible"],
            "collected_amount": amounts["collected"],
            "average_paying_subscribers": float(paying),
            "average_subscribers": float(with_access),
            "arppu_amount": round_amount(Fraction(net) / paying) if paying else None,
            "arpu_amount": round_amount(Fraction(net) / with_access) if with_access else None,
            "is_complete": self.is_complete(month),
        }

    def in_reporting_currency(self, amount_minor: int, currency: str, month: date) -> Decimal:
        """Return what an amount in minor units is worth at the month's rate."""
        return self.rates.value(major(amount_minor, currency), currency, month)

    def value_costs(self) -> None:
        """Value what no mart here shows, so that a rate that it lacks is missed."""
        for spent in self.intake.accepted["marketing_spend"]:
            month = spent["spend_date"].replace(day=1)
            self.in_reporting_currency(spent["amount_minor"], spent["currency"], month)
        for payment in self.intake.accepted["payments"]:
            month = self.calendar.month_of(payment["attempted_at"])
            self.in_reporting_currency(payment["fee_minor"], payment["currency"], month)
        invoices = {row["invoice_id"]: row for row in self.intake.accepted["invoices"]}
        for line in self.intake.accepted["invoice_lines"]:
            self.discount(line, invoices[line["invoice_id"]])

    def money_movements(self) -> Iterator[tuple[str, date, str, Decimal]]:
        """Yield whose each amount is, its month, what kind of money it is, and how much."""
        invoices = {row["invoice_id"]: row for row in self.intake.accepted["invoices"]}
        payments = {row["payment_id"]: row for row in self.intake.accepted["payments"]}
        for line in self.intake.accepted["invoice_lines"]:
            invoice = invoices[line["invoice_id"]]
            for month, kind, amount in self._recognised(line, invoice):
                yield invoice["subscriber_id"], month, kind, amount
        for payment in payments.values():
            if payment["status"] == "succeeded":
                month = self.calendar.month_of(payment["attempted_at"])
                owner = invoices[payment["invoice_id"]]["subscriber_id"]
                amount = self.in_reporting_currency(
                    payment["amount_minor"], payment["currency"], month
                )
                yield owner, month, "collected", amount
        for refund in self.intake.accepted["refunds"]:
            month = self.calendar.month_of(refund["refunded_at"])
            invoice = invoices[payments[refund["payment_id"]]["invoice_id"]]
            net_minor = refund["amount_minor"] - refund["tax_minor"]
            amount = self.in_reporting_currency(net_minor, refund["currency"], month)
            is_reversal = refund["kind"] == "chargeback_reversal"
            yield invoice["subscriber_id"], month, "refunded", -amount if is_reversal else amount

    def _recognised(self, line: Row, invoice: Row) -> Iterator[tuple[date, str, Decimal]]:
        """Yield a line's share of every month that has begun, day by day."""
        if invoice["status"] in ("draft", "void"):
            return
        kind = "uncollectible" if invoice["status"] == "uncollectible" else "recognised"
        days = self._service_days(line, invoice)
        passed = [day for day in days if self.calendar.first_instant(day) < self.as_of]
        for month, days_of_month in _by_month(passed):
            first = days.index(days_of_month[0])
            share = running_share(
                line["amount_minor"],
                Fraction(first, len(days)),
                Fraction(first + len(days_of_month), len(days)),
            )
            yield month, kind, self.in_reporting_currency(share, invoice["currency"], month)

    def discount(self, line: Row, invoice: Row) -> Decimal:
        """Return what a line with a code gave away; what was never paid was not given either."""
        if line["promotion_code"] is None or invoice["status"] not in ("open", "paid"):
            return ZERO
        month = self.calendar.month_of(invoice["issued_at"])
        return self.in_reporting_currency(line["discount_minor"], invoice["currency"], month)

    def _service_days(self, line: Row, invoice: Row) -> list[date]:
        """Return the local days that a line is spread over, one if it has no length."""
        start_at, end_at = line["period_start_at"], line["period_end_at"]
        start = self.calendar.date_of(invoice["issued_at"] if start_at is None else start_at)
        if start_at is None or end_at is None:
            return [start]
        length = (self.calendar.date_of(end_at) - start).days
        return [start + timedelta(days=n) for n in range(length)] or [start]

    # churn and retention

    def fct_churn_events(self) -> list[Row]:
        """Return a row for each lifetime that ended."""
        rows = []
        for subscriber in self.subscribers:
            returns = [lifetime.started_at for lifetime in subscriber.lifetimes[1:]]
            for lifetime in subscriber.lifetimes:
                if lifetime.ended_at is None:
                    continue
                before = subscriber.segment_at(lifetime.ended_at - TICK)
                rows.append(
                    {
                        "subscriber_id": subscriber.subscriber_id,
                        "lifetime_number": lifetime.number,
                        "churned_at": lifetime.ended_at,
                        "churn_type": lifetime.end_type,
                        "churn_reason": lifetime.end_reason,
                        "tenure_days": self.tenure_days(lifetime),
                        "mrr_amount": self.level_worth(before, lifetime.ended_at),
                        "won_back_at": next((at for at in returns if at > lifetime.ended_at), None),
                    }
                )
        return rows

    def tenure_days(self, lifetime: Lifetime) -> int:
        """Return the local days from the start to the end, or to the horizon."""
        end = self.as_of if lifetime.ended_at is None else lifetime.ended_at
        return (self.calendar.date_of(end) - self.calendar.date_of(lifetime.started_at)).days

    def retention_cohorts(self) -> list[Row]:
        """Return every cohort's months, those that are not over with nulls."""
        cohorts: dict[date, list[Subscriber]] = defaultdict(list)
        for subscriber in self.subscribers:
            if subscriber.lifetimes:
                month = self.calendar.month_of(subscriber.lifetimes[0].started_at)
                cohorts[month].append(subscriber)
        rows = []
        for cohort, members in cohorts.items():
            for month in self.months_from(cohort):
                retained = never_lapsed = None
                if self.is_complete(month):
                    last = self.month_end(month) - TICK
                    retained = sum(any(x.holds_at(last) for x in m.lifetimes) for m in members)
                    never_lapsed = sum(m.lifetimes[0].holds_at(last) for m in members)
                rows.append(
                    {
                        "cohort_month": cohort,
                        "months_since_start": months_between(cohort, month),
                        "cohort_size": len(members),
                        "retained_subscribers": retained,
                        "never_lapsed_subscribers": never_lapsed,
                        "retention_rate": None if retained is None else retained / len(members),
                    }
                )
        return rows

    def survival_curves(self) -> list[Row]:
        """Return the Kaplan-Meier curve of first lifetimes, of every stratum."""
        strata: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
        for subscriber in self.subscribers:
            for lifetime in subscriber.lifetimes[:1]:
                observed = self.tenure_days(lifetime), lifetime.ended_at is not None
                unit, count = lifetime.first_state.billing_period
                for stratum in (
                    ("overall", "all"),
                    ("plan_tier", lifetime.first_tier),
                    ("billing_period", unit if count == 1 else f"{count} {unit}s"),
                    ("country", self.country_of(subscriber.subscriber_id)),
                    ("channel", self.channel_of(subscriber.subscriber_id)),
                ):
                    strata[stratum].append(observed)
        return [
            {"stratum": stratum, "stratum_value": value} | point
            for (stratum, value), observed in strata.items()
            for point in kaplan_meier(observed)
        ]

    # viewing

    def viewing_daily(self) -> list[Row]:
        """Return a row for each subscriber and local day that a session touches."""
        watched: Counter[tuple[str, date]] = Counter()
        begun: dict[tuple[str, date], list[Row]] = defaultdict(list)
        for session in self.intake.accepted["playback_sessions"]:
            shares = self.shares_by_day(session)
            for day, seconds in shares:
                watched[session["subscriber_id"], day] += seconds
            begun[session["subscriber_id"], shares[0][0]].append(session)
        return [
            {
                "subscriber_id": subscriber_id,
                "viewing_date": day,
                "watched_seconds": seconds,
                **self._play_columns(begun.get((subscriber_id, day), [])),
            }
            for (subscriber_id, day), seconds in watched.items()
        ]

    def _play_columns(self, plays: list[Row]) -> Row:
        completions = [c for c in map(self.is_completed, plays) if c is not None]
        titles = {play["title_id"] for play in plays} - {None}
        return {
            "plays": len(plays),
            "valid_plays": sum(p["watched_seconds"] >= VALID_PLAY_SECONDS for p in plays),
            "completed_plays": sum(completions) if completions else None,
            "titles": len(titles),
        }

    @cached_property
    def _titles(self) -> dict[str, Row]:
        return {row["title_id"]: row for row in self.intake.accepted["titles"]}

    def is_completed(self, play: Row) -> bool | None:
        """Return whether a play saw 90 % of the title, None where its length is unknown."""
        title = self._titles.get(play["title_id"])
        if title is None or title["runtime_seconds"] is None or title["content_type"] == "live":
            return None
        return bool(play["watched_seconds"] * 10 >= title["runtime_seconds"] * 9)

    def shares_by_day(self, session: Row) -> list[tuple[date, int]]:
        """Return the seconds watched on each local day that the session touches, in order."""
        start, end = session["started_at"], session["ended_at"]
        if start == end:
            return [(self.calendar.date_of(start), session["watched_seconds"])]
        shares = []
        day = self.calendar.date_of(start)
        while (begin := self.calendar.first_instant(day)) < end:
            following = day + timedelta(days=1)
            finish = min(self.calendar.first_instant(following), end)
            begin = max(begin, start)
            # a day that the zone skipped has no length and is not touched
            if finish > begin:
                share = running_share(
                    session["watched_seconds"],
                    Fraction((begin - start) // TICK, (end - start) // TICK),
                    Fraction((finish - start) // TICK, (end - start) // TICK),
                )
                shares.append((day, share))
            day = following
        return shares

    # quality

    def row_reconciliation(self) -> list[Row]:
        """Return where each table's rows ended, as counts."""
        return [{"table_name": table} | counts for table, counts in self.intake.counts.items()]

    def quarantined_rows(self) -> list[Row]:
        """Return what was quarantined, with the rule that it broke."""
        return [
            {key: value for key, value in row.items() if key != "row"}
            for row in self.intake.quarantined
        ]


def _by_month(days: Iterable[date]) -> list[tuple[date, list[date]]]:
    months: dict[date, list[date]] = defaultdict(list)
    for day in days:
        months[month_of_date(day)].append(day)
    return sorted(months.items())


def build_marts(raw: Raw, settings: Settings) -> Marts:
    """Return every mart that the reference knows, by name.

    Raises `MissingRatesError` where something is valued in a currency without a rate.
    """
    reference = Reference(raw, settings)
    marts = {
        "row_reconciliation": reference.row_reconciliation(),
        "quarantined_rows": reference.quarantined_rows(),
        "fct_subscription_states": reference.fct_subscription_states(),
        "fct_subscriber_lifetimes": reference.fct_subscriber_lifetimes(),
        "fct_mrr_movements": reference.fct_mrr_movements(),
        "mrr_bridge_monthly": reference.mrr_bridge_monthly(),
        "revenue_monthly": reference.revenue_monthly(),
        "fct_churn_events": reference.fct_churn_events(),
        "churn_monthly": reference.churn_monthly(),
        "retention_cohorts": reference.retention_cohorts(),
        "survival_curves": reference.survival_curves(),
        "viewing_daily": reference.viewing_daily(),
    }
    reference.value_costs()
    if reference.rates.missing:
        raise MissingRatesError(reference.rates.missing)
    return marts
