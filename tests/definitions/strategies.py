"""Small nasty services: random, the same for the same seed, and crowded around what goes wrong.

A run is many services over one clock, one time zone and one set of rates. Every id of a service
begins with its own prefix, the plan tiers too, so that a difference can be traced to its service
also in a mart by month. Instants come from a short list of awkward ones, so that rows collide.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from .dirt import Dirt
from .intake import Row
from .local_time import TICK, LocalCalendar, month_range, previous_month
from .moments import DAY, HOUR, SECOND, Clock
from .reference import Settings
from .services import ServiceMaker
from .stories import RawRows, service, told

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


@dataclass(frozen=True)
class Run:
    """Services that go through the pipeline together, and the vars that they go with.

    `rows` has the rows that belong to no service, `services` those of each service by prefix.
    """

    settings: Settings
    shared: RawRows = field(repr=False)
    services: dict[str, RawRows] = field(repr=False)

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


def _make_rates(clock: Clock, rng: random.Random) -> RawRows:
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
    # in no week up to a month's first day, or the month would be left without a rate
    bad_day = clock.months[0] + timedelta(days=10)
    for changes in ({"rate": Decimal(0)}, {"currency": "ZZZ"}, {"rate": None}):
        row = told("exchange_rates", rate_date=bad_day, currency="EUR", rate=Decimal(1))
        raw["exchange_rates"].append({**row, **changes})
        bad_day += DAY
    raw["marketing_spend"] = _make_spend(clock, rng)
    return raw


def _rate_rows(clock: Clock, rng: random.Random, day: date, currency: str) -> list[Row]:
    happened_at = clock.calendar.first_instant(day)
    if happened_at >= clock.as_of:
        return []
    rate = {
        # some are half of a place of money, or just not
        "USD": ["0.9", "0.987654321098"],
        "EUR": ["1.1", "1.05", "1.000005", "1.000004999999999999", "1.123456789012", "0.5"],
        "JPY": ["0.0067", "0.00670005", "0.006700049999999999", "0.01", "0.0000001"],
        "KWD": ["3.25", "3.255555555555555555", "3", "3.00005", "3.000049999999999999"],
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


def _make_spend(clock: Clock, rng: random.Random) -> list[Row]:
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
    clock = Clock(settings, as_of, rng)
    return Run(
        settings=settings,
        shared=_make_rates(clock, rng),
        services={
            prefix: ServiceMaker(prefix, clock, rng).make()
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
    clock = Clock(run.settings, run.settings.as_of, rng)

    def tied(prefix: str, raw: RawRows) -> RawRows:
        dirt = Dirt(prefix, clock, rng)
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
