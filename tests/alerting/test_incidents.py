"""Who is told when: once, again when it is worse or has lasted, and when it is over."""

from datetime import timedelta

from alerting.incidents import Alert, Incident, Judged, Trouble, follow_up
from tests.alerting.samples import NOON, trouble

EVERYTHING = Judged(everything=True)
A_DAY = timedelta(hours=24)


def step(
    before: list[Incident], *broken: Trouble, hours: float, judged: Judged = EVERYTHING
) -> tuple[list[Incident], list[tuple[str, str]]]:
    now = NOON + timedelta(hours=hours)
    incidents, alerts = follow_up(before, broken, judged, now=now, remind_after=A_DAY)
    return incidents, [told(alert) for alert in alerts]


def told(alert: Alert) -> tuple[str, str]:
    return alert.event, alert.incident.trouble.check


def test_an_incident_from_its_opening_to_its_end() -> None:
    opened, first = step([], trouble(), hours=0)
    assert first == [("new", "rows_reconcile")]
    again, second = step(opened, trouble(), hours=22.9)
    assert second == []
    reminded, third = step(again, trouble(), hours=23.5)
    assert third == [("reminder", "rows_reconcile")]
    still, fourth = step(reminded, trouble(), hours=46)
    assert fourth == []
    assert still[0].opened_at == NOON
    ended, fifth = step(still, hours=48)
    assert (ended, fifth) == ([], [("recovered", "rows_reconcile")])
    assert step(ended, hours=49) == ([], [])


def test_a_check_that_nobody_judged_has_not_recovered() -> None:
    opened, _ = step([], trouble("a"), trouble("b"), hours=0)
    only_b = Judged(keys=frozenset({trouble("b").key}))
    left, alerts = step(opened, hours=1, judged=only_b)
    assert [incident.trouble.check for incident in left] == ["a"]
    assert alerts == [("recovered", "b")]
    _, reminders = step(left, hours=25, judged=Judged())
    assert reminders == [("reminder", "a")]


def test_what_becomes_worse_is_told_at_once_and_what_becomes_better_is_not() -> None:
    opened, _ = step([], trouble(), hours=0)
    worse, alerts = step(opened, trouble(severity="critical"), hours=1)
    assert alerts == [("worse", "rows_reconcile")]
    _, alerts = step(worse, trouble(), hours=2)
    assert alerts == []


def test_the_same_check_of_another_table_is_another_incident() -> None:
    opened, _ = step([], trouble(table="raw.payments"), hours=0)
    both, alerts = step(opened, trouble(table="raw.payments"), trouble(), hours=1)
    assert len(both) == 2
    assert alerts == [("new", "rows_reconcile")]


def test_what_is_known_to_have_begun_earlier_is_told_so() -> None:
    earlier = NOON - timedelta(hours=5)
    opened, _ = step([], trouble(since=earlier), hours=0)
    assert opened[0].opened_at == earlier
