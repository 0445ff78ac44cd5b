"""The marts that the project defines itself, a second time: as docs/definitions.md reads.

Stands on the reference of the contract's own marts, and as naively. `build_all_marts` is the
whole of it; `project_facts` has what several marts ask for, the other modules a few marts each.
"""

from __future__ import annotations

from collections.abc import Callable

from . import (
    project_churn,
    project_feedback,
    project_journeys,
    project_lifetime_value,
    project_money,
    project_people,
    project_retention,
    project_segments,
    project_viewing,
)
from .intake import Raw, Row
from .project_facts import Facts
from .reference import Marts, Reference, Settings, build_marts

MARTS: dict[str, Callable[[Facts], list[Row]]] = {
    "fct_subscriber_months": project_people.fct_subscriber_months,
    "dim_subscribers": project_people.dim_subscribers,
    "journey_events": project_journeys.journey_events,
    "lifecycle_funnel": project_journeys.lifecycle_funnel,
    "growth_accounting_monthly": project_retention.growth_accounting_monthly,
    "retention_cohorts_by_stratum": project_retention.retention_cohorts_by_stratum,
    "win_back_monthly": project_retention.win_back_monthly,
    "churn_rate_definitions": project_churn.churn_rate_definitions,
    "churn_by_reason_monthly": project_churn.churn_by_reason_monthly,
    "engagement_monthly": project_viewing.engagement_monthly,
    "experience_monthly": project_viewing.experience_monthly,
    "title_performance": project_viewing.title_performance,
    "tickets_monthly": project_feedback.tickets_monthly,
    "feedback_monthly": project_feedback.feedback_monthly,
    "dunning_monthly": project_money.dunning_monthly,
    "promotion_performance": project_money.promotion_performance,
    "clv_cohorts": project_lifetime_value.clv_cohorts,
    "segment_history": project_segments.segment_history,
}


def build_all_marts(raw: Raw, settings: Settings) -> Marts:
    """Return the contract's marts and every one of `MARTS`, by name."""
    facts = Facts(Reference(raw, settings))
    return build_marts(raw, settings) | {name: build(facts) for name, build in MARTS.items()}
