"""Local days and months of the reporting time zone.

Every question is answered by asking the zone what date it is at an instant; nothing is derived
from offsets, so a midnight that is skipped or comes twice needs no case of its own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TICK = timedelta(microseconds=1)
"""The resolution of a timestamp: "just before" an instant is one tick before it."""


def month_of_date(day: date) -> date:
    """Return the first day of the month that `day` lies in."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after `month`."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def previous_month(month: date) -> date:
    """Return the first day of the month before `month`."""
    return (month - timedelta(days=1)).replace(day=1)


def months_between(first: date, last: date) -> int:
    """Return how many months `last` lies after `first`."""
    return (last.year - first.year) * 12 + last.month - first.month


def month_range(first: date, last: date) -> list[date]:
    """Return the months from `first` to `last`, both included; none where `first` is later."""
    months = []
    month = first
    while month <= last:
        months.append(month)
        month = next_month(month)
    return months


class LocalCalendar:
    """The days and months of one time zone, from the zone's own account of the date."""

    def __init__(self, zone_name: str) -> None:
        self._zone = ZoneInfo(zone_name)
        self._first_instants: dict[date, datetime] = {}

    def date_of(self, instant: datetime) -> date:
        """Return the local date at `instant`."""
        return instant.astimezone(self._zone).date()

    def month_of(self, instant: datetime) -> date:
        """Return the local month, as its first day, at `instant`."""
        return month_of_date(self.date_of(instant))

    def first_instant(self, day: date) -> datetime:
        """Return the first instant of the local `day`, in UTC.

        It is searched for, as the first second whose local date is not before `day`; a day that
        the zone skipped altogether begins where the next one does.
        """
        if day not in self._first_instants:
            noon = datetime.combine(day, time(12), tzinfo=UTC)
            low, high = -48 * 3600, 48 * 3600
            while high - low > 1:
                middle = (low + high) // 2
                if self.date_of(noon + timedelta(seconds=middle)) >= day:
                    high = middle
                else:
                    low = middle
            self._first_instants[day] = noon + timedelta(seconds=high)
        return self._first_instants[day]
