"""Services that are odd in one way, derived from an ordinary simulated one by SQL over its files.

What a scenario does not rewrite stays as it is. What becomes of odd *rows* is proven elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.raw.contract import RawContract

# whoever has once held a subscription, each with its first one that was paid for
FIRST_PAID = """
    select * from subscription_changes where status = 'active' and amount_minor > 0
    qualify row_number() over (partition by subscriber_id order by changed_at, change_id) = 1
"""
# an end two days before the newest record is final
LATEST = "(select max(recorded_at) from subscription_changes)"


@dataclass(frozen=True)
class Scenario:
    """How a service is odd: queries that give other rows for some tables, and tables left out."""

    rows: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


def _only(condition: str) -> dict[str, str]:
    """Return the queries for a service of those subscribers alone for whom the condition holds."""
    people = f"(select subscriber_id from subscribers where {condition})"
    invoices = f"(select invoice_id from invoices where subscriber_id in {people})"
    payments = f"(select payment_id from payments where invoice_id in {invoices})"
    return {
        **{
            table: f"select * from {table} where subscriber_id in {people}"
            for table in (
                "subscribers",
                "subscription_changes",
                "invoices",
                "playback_sessions",
                "support_tickets",
                "survey_responses",
                "campaign_touches",
                "erasure_requests",
            )
        },
        "invoice_lines": f"select * from invoice_lines where invoice_id in {invoices}",
        "payments": f"select * from payments where invoice_id in {invoices}",
        "refunds": f"select * from refunds where payment_id in {payments}",
    }


def _nothing(table: str) -> dict[str, str]:
    return {table: f"select * from {table} where false"}


def _gifts() -> dict[str, str]:
    """Return the queries for gifts of three months, none of which is renewed."""
    return {
        "subscription_changes": f"""
            with gifts as (
                select * replace (
                    'month' as billing_period_unit, 3 as billing_period_count,
                    cast(null as timestamp) as cancel_requested_at,
                    cast(null as varchar) as end_reason, cast(null as varchar) as cancel_feedback
                ) from ({FIRST_PAID})
                where changed_at < {LATEST} - interval 4 month
            )
            select * from gifts
            union all
            select * replace (
                change_id || ' end' as change_id, changed_at + interval 3 month as changed_at,
                recorded_at + interval 3 month as recorded_at,
                'ended' as status, 'gift_ended' as end_reason
            ) from gifts
        """,
        # what is billed and paid is another matter, and would be for other subscriptions
        **{table: f"select * from {table} where false" for table in MONEY},
    }


MONEY = ("invoices", "invoice_lines", "payments", "refunds")

SCENARIOS = {
    "nobody watches": Scenario(_nothing("playback_sessions")),
    "required tables alone": Scenario(
        _only("country_code = 'US'"),
        without=frozenset(
            {
                "refunds",
                "exchange_rates",
                "titles",
                "support_tickets",
                "survey_responses",
                "campaign_touches",
                "marketing_spend",
                "erasure_requests",
            }
        ),
    ),
    "one plan": Scenario(
        {
            "plans": "select * from plans where plan_id = 'plan_standard'",
            **{
                table: f"select * replace ('plan_standard' as plan_id) from {table}"
                for table in ("subscription_changes", "invoice_lines")
            },
        }
    ),
    "one country": Scenario(_only("country_code = 'DE'")),
    "one subscriber": Scenario(
        _only("subscriber_id = (select min(subscriber_id) from invoices where status = 'paid')")
    ),
    "nobody pays": Scenario(
        {
            "subscription_changes": "select * from subscription_changes where status = 'trialing'",
            **{table: f"select * from {table} where false" for table in MONEY},
        }
    ),
    "nobody churned": Scenario(
        {
            "subscription_changes": "select * from subscription_changes"
            " where status not in ('ended', 'past_due', 'paused') and amount_minor > 0"
        }
    ),
    "everybody churned": Scenario(
        {
            "subscription_changes": f"""
                with ends as (
                    select * replace (
                        change_id || ' end' as change_id, 'ended' as status,
                        'cancelled' as end_reason,
                        {LATEST} - interval 3 day as changed_at, {LATEST} as recorded_at
                    ) from subscription_changes
                    where changed_at < {LATEST} - interval 3 day
                    qualify row_number() over (
                        partition by subscription_id order by changed_at desc, change_id desc
                    ) = 1 and status <> 'ended'
                )
                select * from subscription_changes where changed_at < {LATEST} - interval 3 day
                union all
                select * from ends
            """
        }
    ),
    "gifts that nobody renewed": Scenario(_gifts()),
}

# trials in euros and pounds among them, of which nothing is to be valued
ONLY_TRIALS_WITHOUT_RATES = Scenario(
    {**SCENARIOS["nobody pays"].rows, **_nothing("marketing_spend")},
    without=frozenset({"exchange_rates"}),
)


def derive(base: Path, out: Path, scenario: Scenario, contract: RawContract) -> Path:
    """Write the service of the scenario, one Parquet file a table, and return its folder."""
    with duckdb.connect() as connection:
        names = [table.name for table in contract.tables]
        for name in names:
            connection.execute(
                f"create view {name} as select * from read_parquet('{base}/{name}/*.parquet')"
            )
        for name in names:
            if name in scenario.without:
                continue
            (out / name).mkdir(parents=True)
            query = scenario.rows.get(name, f"select * from {name}")
            connection.execute(f"copy ({query}) to '{out}/{name}/rows.parquet' (format parquet)")
    return out
