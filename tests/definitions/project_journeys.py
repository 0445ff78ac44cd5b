"""Every touch point in one stream, and the funnel from acquisition to advocacy."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from .intake import Row
from .local_time import TICK
from .project_facts import Facts
from .timeline import Phase, State

EVENT_OF_CATEGORY = {
    "new": "subscribed",
    "reactivation": "reactivated",
    "expansion": "expanded",
    "contraction": "contracted",
    "pause": "paused",
    "resume": "resumed",
    "churn": "churned",
}

LOYAL_DAYS = 365


class Stream:
    """Events as they are told."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def tell(
        self,
        subscriber_id: str,
        occurred_at: datetime,
        event_type: str,
        detail: str | None,
        mrr_change: Decimal | None = None,
    ) -> None:
        """Add an event."""
        self.rows.append(
            {
                "subscriber_id": subscriber_id,
                "occurred_at": occurred_at,
                "event_type": event_type,
                "detail": detail,
                "mrr_change_amount": mrr_change,
            }
        )


def journey_events(facts: Facts) -> list[Row]:
    """Return every event of every subscriber."""
    stream = Stream()
    for name, person in facts.people.items():
        channel = facts.reference.channel_of(name)
        stream.tell(name, person.signed_up_at, "signed_up", channel)
        if person.referred_by in facts.people:
            stream.tell(str(person.referred_by), person.signed_up_at, "referred_somebody", name)
    _tell_movements(facts, stream)
    _tell_subscriptions(facts, stream)
    _tell_payments(facts, stream)
    _tell_contacts(facts, stream)
    for name, play in facts.first_plays.items():
        stream.tell(name, play["started_at"], "first_play", play["title_id"])
    return stream.rows


def _tell_movements(facts: Facts, stream: Stream) -> None:
    ends = {
        (subscriber.subscriber_id, lifetime.ended_at): lifetime.end_type
        for subscriber, lifetime in facts.lifetimes()
    }
    for subscriber in facts.reference.subscribers:
        for instant in facts.reference.turning_points(subscriber):
            before, after = subscriber.segment_at(instant - TICK), subscriber.segment_at(instant)
            if after is None:
                continue
            category, change, tier, _ = facts.reference.movement(before, after, instant)
            phase = Phase.OUT if before is None else before.phase
            # who comes, leaves or pauses moves, whatever it is worth
            if phase is after.phase and change == 0:
                continue
            is_churn = category == "churn"
            detail = ends[subscriber.subscriber_id, instant] if is_churn else tier
            event_type = EVENT_OF_CATEGORY[category]
            stream.tell(subscriber.subscriber_id, instant, event_type, detail, change)


def _tell_subscriptions(facts: Facts, stream: Stream) -> None:
    for key, subscription in facts.reference.subscriptions.items():
        requests: dict[datetime, tuple[str, str | None]] = {}
        last: State | None = None
        for start, _, state in subscription.intervals(facts.reference.as_of):
            if state.status == "trialing" and not _goes_on(last, state):
                stream.tell(state.subscriber_id, start, "trial_started", state.plan_id)
            last = state
            change = facts.change_at(key, start)
            requested_at = change["cancel_requested_at"]
            if requested_at is None or requested_at >= facts.reference.as_of:
                continue
            # later rows repeat the request, and may be the first to say why
            asked_by, feedback = requests.get(requested_at, (state.subscriber_id, None))
            if asked_by == state.subscriber_id and feedback is None:
                feedback = change["cancel_feedback"]
            requests[requested_at] = asked_by, feedback
        for requested_at, (asked_by, feedback) in requests.items():
            stream.tell(asked_by, requested_at, "cancel_requested", feedback)


def _goes_on(last: State | None, state: State) -> bool:
    return (
        last is not None
        and last.status == state.status
        and last.subscriber_id == state.subscriber_id
    )


def _tell_payments(facts: Facts, stream: Stream) -> None:
    for invoice_id, attempts in facts.attempts.items():
        owner = facts.invoices[invoice_id]["subscriber_id"]
        failures = [row for row in attempts if row["status"] == "failed"]
        for row in failures:
            stream.tell(owner, row["attempted_at"], "payment_failed", row["method"])
        paid_at = facts.collected_at(invoice_id)
        if paid_at is not None and any(row["attempted_at"] <= paid_at for row in failures):
            stream.tell(owner, paid_at, "payment_recovered", None)
    for refund in facts.accepted["refunds"]:
        invoice = facts.invoices[facts.payments[refund["payment_id"]]["invoice_id"]]
        owner = invoice["subscriber_id"]
        stream.tell(owner, refund["refunded_at"], "refunded", refund["kind"])


def _tell_contacts(facts: Facts, stream: Stream) -> None:
    for table, column, event_type, detail in (
        ("support_tickets", "opened_at", "ticket_opened", "topic"),
        ("support_tickets", "resolved_at", "ticket_resolved", "topic"),
        ("survey_responses", "responded_at", "survey_answered", "kind"),
        ("campaign_touches", "sent_at", "campaign_touched", "purpose"),
        ("campaign_touches", "opened_at", "campaign_opened", "purpose"),
        ("campaign_touches", "clicked_at", "campaign_clicked", "purpose"),
    ):
        for row in facts.accepted[table]:
            if row[column] is not None and row[column] < facts.reference.as_of:
                stream.tell(row["subscriber_id"], row[column], event_type, row[detail])


def lifecycle_funnel(facts: Facts) -> list[Row]:
    """Return each stage's two counts by month."""
    contacts = [
        (row["subscriber_id"], facts.calendar.month_of(row["sent_at"]))
        for row in facts.accepted["campaign_touches"]
    ]
    first_contact = min((month for _, month in contacts), default=None)
    trials = _trials(facts)
    rows = []
    for month in facts.months:
        contacted = {name for name, sent_in in contacts if sent_in == month}
        is_known = first_contact is not None and first_contact <= month
        decided = [outcome for ended_in, outcome in trials if ended_in == month]
        accounts = [person.signed_up_at < facts.end_of(month) for person in facts.people.values()]
        stages = {
            "reach": (len(contacted) if is_known else None, sum(accounts)),
            "conversion": (decided.count("converted"), len(decided) - decided.count("pending")),
            **_stages_of_lifetimes(facts, month),
            **_advocacy(facts, month),
        }
        for stage, (numerator, denominator) in stages.items():
            is_rated = numerator is not None and denominator and facts.reference.is_complete(month)
            rows.append(
                {
                    "month_start": month,
                    "stage": stage,
                    "numerator": numerator,
                    "denominator": denominator,
                    "stage_rate": (numerator or 0) / denominator if is_rated else None,
                    "is_complete": facts.reference.is_complete(month),
                }
            )
    return rows


def _stages_of_lifetimes(facts: Facts, month: date) -> dict[str, tuple[int, int]]:
    begin, end = facts.begin_of(month), facts.end_of(month)
    lifetimes = [lifetime for _, lifetime in facts.lifetimes()]
    opening = [x for x in lifetimes if x.holds_at(begin - TICK)]
    closing = [x for x in lifetimes if x.holds_at(end - TICK)]
    left = [
        x
        for x in opening
        if x.ended_at is not None and facts.calendar.month_of(x.ended_at) == month
    ]
    came = [
        x for x in lifetimes if x.number == 1 and facts.calendar.month_of(x.started_at) == month
    ]
    end_date = facts.calendar.date_of(end)
    loyal = [
        x for x in closing if (end_date - facts.calendar.date_of(x.started_at)).days >= LOYAL_DAYS
    ]
    return {
        "acquisition": (len(came), len(opening)),
        "retention": (len(opening) - len(left), len(opening)),
        "loyalty": (len(loyal), len(closing)),
    }


def _advocacy(facts: Facts, month: date) -> dict[str, tuple[int, int]]:
    came = [p for p in facts.people.values() if facts.calendar.month_of(p.signed_up_at) == month]
    return {"advocacy": (sum(p.referred_by in facts.people for p in came), len(came))}


def _trials(facts: Facts) -> list[tuple[date, str]]:
    """Return the month in which each trial ended, and what became of it."""
    grace = timedelta(hours=facts.reference.settings.churn_grace_hours)
    as_of = facts.reference.as_of
    trials: list[tuple[str, datetime]] = []
    begun: list[tuple[str, datetime]] = []
    for subscription in facts.reference.subscriptions.values():
        last: State | None = None
        for start, _, state in subscription.intervals(as_of):
            if last is not None and last.status == "trialing" and not _goes_on(last, state):
                trials.append((last.subscriber_id, start))
            was_paying = (
                last is not None and last.is_paying and last.subscriber_id == state.subscriber_id
            )
            if state.is_paying and not was_paying:
                begun.append((state.subscriber_id, start))
            last = state
    found = []
    for name, ended_at in trials:
        has_paid = any(who == name and ended_at <= at <= ended_at + grace for who, at in begun)
        is_over = ended_at + grace < as_of
        outcome = "converted" if has_paid else "lapsed" if is_over else "pending"
        found.append((facts.calendar.month_of(ended_at), outcome))
    return found
