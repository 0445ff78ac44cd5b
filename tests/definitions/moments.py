"""The awkward instants of a time zone, at which random services let everything happen."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from .local_time import TICK, LocalCalendar, month_range, previous_month
from .reference import Settings

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

WINDOW_MONTHS = 8


class Clock:
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
