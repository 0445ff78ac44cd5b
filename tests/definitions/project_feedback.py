"""What subscribers say and what they ask for."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from .intake import Row
from .project_facts import Facts
from .project_figures import HALF, hours, mean, quantile, ratio


def _opened(facts: Facts, tickets: list[Row], month: date) -> int:
    return sum(facts.calendar.month_of(row["opened_at"]) == month for row in tickets)


def _resolved(facts: Facts, tickets: list[Row], month: date) -> list[Row]:
    """Return the tickets resolved in a month; what will be resolved tomorrow is open today."""
    return [
        row
        for row in tickets
        if row["resolved_at"] is not None
        and row["resolved_at"] < facts.reference.as_of
        and facts.calendar.month_of(row["resolved_at"]) == month
    ]


def _times(resolved: list[Row]) -> Row:
    times = [hours(row["resolved_at"] - row["opened_at"]) for row in resolved]
    return {
        "resolved_tickets": len(resolved),
        "mean_hours_to_resolve": mean(times),
        "median_hours_to_resolve": quantile(times, HALF),
    }


def tickets_monthly(facts: Facts) -> list[Row]:
    """Return tickets by month and topic, from the topic's first on."""
    topics: dict[str, list[Row]] = defaultdict(list)
    for ticket in facts.accepted["support_tickets"]:
        topics[ticket["topic"]].append(ticket)
    rows = []
    for topic, tickets in topics.items():
        first = min(facts.calendar.month_of(row["opened_at"]) for row in tickets)
        for month in facts.reference.months_from(first):
            end = facts.end_of(month)
            resolved = _resolved(facts, tickets, month)
            scores = [row["csat_score"] for row in resolved if row["csat_score"] in range(1, 6)]
            satisfied = sum(score >= 4 for score in scores)
            rows.append(
                {
                    "month_start": month,
                    "topic": topic,
                    "opened_tickets": _opened(facts, tickets, month),
                    **_times(resolved),
                    "closing_open_tickets": sum(
                        row["opened_at"] < end
                        and (row["resolved_at"] is None or row["resolved_at"] >= end)
                        for row in tickets
                    ),
                    "scored_tickets": len(scores),
                    "satisfied_tickets": satisfied,
                    "satisfied_rate": facts.once_over(month, ratio(satisfied, len(scores))),
                    "is_complete": facts.reference.is_complete(month),
                }
            )
    return rows


def feedback_monthly(facts: Facts) -> list[Row]:
    """Return answers and tickets by month, of what had not begun nothing."""
    tickets = facts.accepted["support_tickets"]
    answers: dict[date, list[Row]] = defaultdict(list)
    for answer in facts.accepted["survey_responses"]:
        answers[facts.calendar.month_of(answer["responded_at"])].append(answer)
    asked = min(answers, default=None)
    opened = min((facts.calendar.month_of(row["opened_at"]) for row in tickets), default=None)
    average = {
        row["month_start"]: row["average_paying_subscribers"]
        for row in facts.reference.revenue_monthly()
    }
    starts = [month for month in (asked, opened) if month is not None]
    rows = []
    for month in facts.reference.months_from(min(starts)) if starts else []:
        said = _answers(facts, month, answers.get(month, []))
        if asked is None or asked > month:
            said = dict.fromkeys(said)
        wanted = _wants(facts, month, tickets, average.get(month, 0.0))
        if opened is None or opened > month:
            wanted = dict.fromkeys(wanted)
        rows.append(
            {
                "month_start": month,
                **said,
                **wanted,
                "average_paying_subscribers": average.get(month, 0.0),
                "is_complete": facts.reference.is_complete(month),
            }
        )
    return rows


def _answers(facts: Facts, month: date, answers: list[Row]) -> Row:
    def count(kind: str, first: int, last: int) -> int:
        return sum(row["kind"] == kind and first <= row["score"] <= last for row in answers)

    promoters, passives, detractors = count("nps", 9, 10), count("nps", 7, 8), count("nps", 0, 6)
    satisfied, unsatisfied = count("csat", 4, 5), count("csat", 1, 3)
    asked = promoters + passives + detractors
    score = ratio(100 * (promoters - detractors), asked)
    return {
        "promoter_responses": promoters,
        "passive_responses": passives,
        "detractor_responses": detractors,
        "net_promoter_score": facts.once_over(month, score),
        "satisfied_responses": satisfied,
        "unsatisfied_responses": unsatisfied,
        "satisfied_rate": facts.once_over(month, ratio(satisfied, satisfied + unsatisfied)),
        "off_scale_responses": len(answers) - asked - satisfied - unsatisfied,
    }


def _wants(facts: Facts, month: date, tickets: list[Row], average_paying: float) -> Row:
    opened = _opened(facts, tickets, month)
    per_thousand = 1000 * opened / average_paying if average_paying else None
    return {
        "opened_tickets": opened,
        "opened_tickets_per_thousand": facts.once_over(month, per_thousand),
        **_times(_resolved(facts, tickets, month)),
    }
