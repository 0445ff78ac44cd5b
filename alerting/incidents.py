"""When somebody is told: pure rules from what was open and what is broken now.

An incident opens when a check breaks, is told once, again when it becomes worse or has been open
for a while, and a last time when it is over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Severity = Literal["warning", "critical"]
Event = Literal["new", "worse", "reminder", "recovered"]

_RANK: Mapping[Severity, int] = {"warning": 0, "critical": 1}


@dataclass(frozen=True)
class Trouble:
    """One thing that is broken now.

    Attributes:
        check: The check that failed, as the runbook calls it.
        table: The table at fault; `run` where it is the run itself.
        severity: `critical` where it keeps a release from its readers.
        what: What was seen, a sentence; counts and figures, never a value of a raw row.
        since: When it began, where that is known; else when it is first seen counts.
        marts: The marts that it touches.
        keys: Keys of some failing rows.
        owner: Who mends it; empty where nobody is named.
        why: What goes wrong for readers; may be empty.
        what_to_do: Where to begin; may be empty.
        page: The anchor of its page in the runbook.
    """

    check: str
    table: str
    severity: Severity
    what: str
    since: datetime | None = None
    marts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    owner: str = ""
    why: str = ""
    what_to_do: str = ""
    page: str = ""

    @property
    def key(self) -> str:
        """What is the same for the same trouble of any day: check and table."""
        return f"{self.check}@{self.table}"


@dataclass(frozen=True)
class Incident:
    """A trouble that somebody was told of and that is not over."""

    trouble: Trouble
    opened_at: datetime
    last_told_at: datetime


@dataclass(frozen=True)
class Alert:
    """One thing to tell: what became of which incident."""

    event: Event
    incident: Incident


@dataclass(frozen=True)
class Judged:
    """Which checks a look has judged: all of them, or those named by their keys."""

    everything: bool = False
    keys: frozenset[str] = frozenset()

    def __contains__(self, key: str) -> bool:
        return self.everything or key in self.keys


def follow_up(
    before: Iterable[Incident],
    broken: Iterable[Trouble],
    judged: Judged,
    *,
    now: datetime,
    remind_after: timedelta,
) -> tuple[list[Incident], list[Alert]]:
    """The incidents that are open now, and what to tell.

    An incident whose check was not judged stays open: what nobody looked at has not recovered.
    """
    known = {incident.trouble.key: incident for incident in before}
    troubles = {trouble.key: trouble for trouble in broken}
    incidents: list[Incident] = []
    alerts: list[Alert] = []
    for trouble in troubles.values():
        incident, event = _of_trouble(known.get(trouble.key), trouble, now, remind_after)
        incidents.append(incident)
        if event:
            alerts.append(Alert(event, incident))
    for key, incident in known.items():
        if key in troubles:
            continue
        if key in judged:
            alerts.append(Alert("recovered", incident))
        elif _is_due(incident, now, remind_after):
            reminded = replace(incident, last_told_at=now)
            incidents.append(reminded)
            alerts.append(Alert("reminder", reminded))
        else:
            incidents.append(incident)
    return incidents, alerts


def _is_due(incident: Incident, now: datetime, remind_after: timedelta) -> bool:
    # a run of every night ends a little earlier or later than the one before
    return now - incident.last_told_at >= remind_after * 23 / 24


def _of_trouble(
    known: Incident | None, trouble: Trouble, now: datetime, remind_after: timedelta
) -> tuple[Incident, Event | None]:
    if known is None:
        return Incident(trouble, opened_at=trouble.since or now, last_told_at=now), "new"
    event: Event | None = None
    if _RANK[trouble.severity] > _RANK[known.trouble.severity]:
        event = "worse"
    elif _is_due(known, now, remind_after):
        event = "reminder"
    told_at = now if event else known.last_told_at
    return Incident(trouble, opened_at=known.opened_at, last_told_at=told_at), event
