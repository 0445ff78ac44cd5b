"""What is told: one message of all that changed at once, in words and as JSON."""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.incidents import Alert, Event, Severity

# more in one message is read by nobody; the JSON of a webhook has them all
MAX_TOLD = 10
MAX_MARTS_TOLD = 8

HEADINGS: dict[Event, str] = {
    "new": "BROKEN",
    "worse": "WORSE",
    "reminder": "STILL BROKEN",
    "recovered": "RECOVERED",
}
SEVERITIES: dict[Severity, str] = {
    "critical": "critical, nothing is released until it is mended",
    "warning": "warning, releases go on",
}


@dataclass(frozen=True)
class Message:
    """What every place is told at one time: a subject, a text, and the same as JSON."""

    message_id: str
    made_at: datetime
    subject: str
    text: str
    payload: dict[str, Any]


def compose(alerts: Sequence[Alert], *, service: str, now: datetime, runbook_url: str) -> Message:
    """The message that tells these alerts; `service` says of which warehouse."""
    message_id = f"msg_{uuid.uuid4().hex}"
    subject = f"[Tenure] {_counted(alerts)}: {service}"
    blocks = ["\n".join(_lines(alert, runbook_url)) for alert in alerts[:MAX_TOLD]]
    if len(alerts) > MAX_TOLD:
        blocks.append(f"and {len(alerts) - MAX_TOLD} more: tenure alerts status")
    return Message(
        message_id=message_id,
        made_at=now,
        subject=subject,
        text="\n\n".join([subject, *blocks]),
        payload={
            "type": "tenure.alerts",
            "id": message_id,
            "timestamp": now.isoformat(),
            "service": service,
            "alerts": [_as_json(alert, runbook_url) for alert in alerts],
        },
    )


def trial(*, service: str, now: datetime) -> Message:
    """A message that only says that it arrived."""
    message_id = f"msg_{uuid.uuid4().hex}"
    subject = f"[Tenure] test message: {service}"
    return Message(
        message_id=message_id,
        made_at=now,
        subject=subject,
        text=f"{subject}\n\nAlerts arrive here. Nothing is wrong, and nothing is to be done.",
        payload={
            "type": "tenure.test",
            "id": message_id,
            "timestamp": now.isoformat(),
            "service": service,
            "alerts": [],
        },
    )


def page_address(runbook_url: str, page: str) -> str:
    """Where the runbook tells of it."""
    return f"{runbook_url}#{page}" if page else runbook_url


def _counted(alerts: Sequence[Alert]) -> str:
    words: dict[Event, str] = {
        "new": "broken",
        "worse": "worse",
        "reminder": "still broken",
        "recovered": "recovered",
    }
    counts = Counter(alert.event for alert in alerts)
    told = [f"{counts[event]} {word}" for event, word in words.items() if counts[event]]
    return ", ".join(told)


def _lines(alert: Alert, runbook_url: str) -> Iterator[str]:
    incident, trouble = alert.incident, alert.incident.trouble
    yield f"{HEADINGS[alert.event]}: {trouble.check} ({trouble.table})"
    if alert.event == "recovered":
        yield f"It was broken since {_instant(incident.opened_at)}, and is well again."
        return
    yield trouble.what
    yield f"Severity: {SEVERITIES[trouble.severity]}"
    yield f"Since: {_instant(incident.opened_at)}"
    yield f"Marts touched: {_marts(trouble.marts)}"
    if trouble.keys:
        yield f"Failing rows, some: {'; '.join(trouble.keys)}"
    if trouble.why:
        yield f"Why it matters: {trouble.why}"
    if trouble.what_to_do:
        yield f"What to do: {trouble.what_to_do}"
    if trouble.owner:
        yield f"Owner: {trouble.owner}"
    yield f"Runbook: {page_address(runbook_url, trouble.page)}"


def _marts(marts: Sequence[str]) -> str:
    if not marts:
        return "none"
    told = ", ".join(marts[:MAX_MARTS_TOLD])
    more = len(marts) - MAX_MARTS_TOLD
    return f"{told} and {more} more" if more > 0 else told


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _as_json(alert: Alert, runbook_url: str) -> dict[str, Any]:
    incident, trouble = alert.incident, alert.incident.trouble
    return {
        "event": alert.event,
        "incident": trouble.key,
        "check": trouble.check,
        "table": trouble.table,
        "severity": trouble.severity,
        "what": trouble.what,
        "since": incident.opened_at.isoformat(),
        "marts": list(trouble.marts),
        "keys": list(trouble.keys),
        "owner": trouble.owner,
        "why": trouble.why,
        "what_to_do": trouble.what_to_do,
        "runbook": page_address(runbook_url, trouble.page),
    }
