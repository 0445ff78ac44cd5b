"""Troubles and instants that the tests of alerts share."""

from datetime import UTC, datetime

from alerting.incidents import Trouble

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def trouble(check: str = "rows_reconcile", **given: object) -> Trouble:
    told: dict[str, object] = {
        "check": check,
        "table": "marts.churn_monthly",
        "severity": "warning",
        "what": "Failed by 3 rows.",
        "marts": ("churn_monthly", "mrr_bridge_monthly"),
        "keys": ("invoice_id in_7",),
        "owner": "billing",
        "what_to_do": "Send them again.",
        "page": check,
        **given,
    }
    return Trouble(**told)  # type: ignore[arg-type]
