"""The contract's rules, read anew: clean data break none, dirty data as planned.

The judgement follows the contract's text in SQL and shares nothing with the simulator.
"""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.contract import RawTable, raw_tables

from .conftest import Service

CLOSED_LISTS = {
    ("subscription_changes", "status"): "trialing active past_due paused ended",
    ("subscription_changes", "billing_period_unit"): "day week month year",
    ("invoices", "status"): "draft open paid void uncollectible",
    ("invoice_lines", "kind"): "subscription proration add_on one_off",
    ("payments", "status"): "succeeded failed",
    ("refunds", "kind"): "refund chargeback chargeback_reversal",
    ("survey_responses", "kind"): "nps csat",
}
OPEN_LISTS = {
    ("subscription_changes", "end_reason"): (
        "cancelled payment_failed trial_expired gift_ended refunded admin"
    ),
    ("subscription_changes", "cancel_feedback"): (
        "price content quality competitor seasonal technical other"
    ),
    ("payments", "method"): "card direct_debit wallet app_store carrier voucher",
    ("playback_sessions", "device_type"): "tv mobile tablet web console",
    ("playback_sessions", "end_cause"): "completed stopped error startup_failure",
    ("titles", "content_type"): "movie episode live clip",
    ("support_tickets", "topic"): "billing playback account content other",
    ("campaign_touches", "channel"): "email push in_app sms",
    ("campaign_touches", "purpose"): "onboarding engagement save win_back upsell loyalty",
}
CURRENCIES = ("USD", "EUR", "JPY", "GBP")
MONEY_TABLES = (
    "subscription_changes",
    "invoices",
    "payments",
    "refunds",
    "exchange_rates",
    "marketing_spend",
)
REFERENCES = (
    ("subscription_changes", "subscriber_id", "subscribers"),
    ("subscription_changes", "plan_id", "plans"),
    ("invoices", "subscriber_id", "subscribers"),
    ("invoice_lines", "invoice_id", "invoices"),
    ("payments", "invoice_id", "invoices"),
    ("refunds", "payment_id", "payments"),
    ("playback_sessions", "subscriber_id", "subscribers"),
    ("support_tickets", "subscriber_id", "subscribers"),
    ("survey_responses", "subscriber_id", "subscribers"),
    ("campaign_touches", "subscriber_id", "subscribers"),
)
ORDER = {
    "playback_sessions": ("started_at", "ended_at"),
    "invoice_lines": ("period_start_at", "period_end_at"),
    "support_tickets": ("opened_at", "resolved_at"),
}
RANGES = {
    "subscription_changes": "billing_period_count < 1 or amount_minor < 0",
    "payments": "amount_minor < 0",
    "refunds": "amount_minor < 0",
    "exchange_rates": "rate <= 0",
}
# what is referred to comes before what refers to it
JUDGED = ("subscribers", "plans", "invoices", "payments")


def quoted(words: str) -> str:
    return ", ".join(f"'{word}'" for word in words.split())


def references(name: str) -> list[tuple[str, str]]:
    return [
        (
            "missing_reference",
            f"{column} not in (select {raw_tables()[parent].key[0]} from accepted_{parent})",
        )
        for owner, column, parent in REFERENCES
        if owner == name
    ]


def rules(table: RawTable) -> list[tuple[str, str]]:
    """Return the rules of the contract for a table, in its order, as conditions that break them."""
    name = table.name
    found = []
    if table.event_time:
        found.append(
            ("event_after_recorded", f"{table.event_time} > recorded_at + interval 5 minute")
        )
    required = [column.name for column in table.columns if not column.is_nullable]
    found.append(("null_value", " or ".join(f"{column} is null" for column in required)))
    for (owner, column), words in CLOSED_LISTS.items():
        if owner == name:
            found.append(("unknown_value", f"{column} not in ({quoted(words)})"))
    if name in MONEY_TABLES:
        found.append(("unknown_currency", f"currency not in {CURRENCIES}"))
    found.extend(references(name))
    if name in ORDER:
        start, end = ORDER[name]
        found.append(("ends_before_start", f"{end} < {start}"))
    if name == "playback_sessions":
        found.append(("negative_watched_seconds", "watched_seconds < 0"))
    if name in RANGES:
        found.append(("out_of_range", RANGES[name]))
    if name == "refunds":
        paid = "select p.amount_minor from accepted_payments p where p.payment_id = r.payment_id"
        found.append(("refund_above_payment", f"amount_minor > ({paid})"))
    return found


def judge(service: Service, table: RawTable) -> tuple[dict[str, int], Counter[str]]:
    """Return where the rows of a table end and which rules they break; keep the accepted ones."""
    name, as_of = table.name, service.truth.as_of.removesuffix("Z")
    columns = [column.name for column in table.columns]
    content = ", ".join(column for column in columns if column != "recorded_at")
    key = ", ".join(table.key)
    event = (
        f"coalesce({table.event_time} >= timestamp '{as_of}', false)"
        if table.event_time
        else "false"
    )
    arms = " ".join(f"when {condition} then '{rule}'" for rule, condition in rules(table))
    null_key = " or ".join(f"{column} is null" for column in table.key)
    service.database.execute(f"""
        create or replace temporary table judged as
        with placed as (
            select *, row_number() over () as row_id, case
                when coalesce(recorded_at >= timestamp '{as_of}', false) or {event}
                    then 'beyond_as_of'
                when {null_key} then 'null_key'
                when recorded_at is null then 'null_recorded_at'
            end as place
            from {name}
        ), ranked as (
            select *,
                row_number() over (
                    partition by {key} order by recorded_at desc, row_id
                ) as age,
                first_value(md5(cast(({content}) as text))) over (
                    partition by {key} order by recorded_at desc, row_id
                ) as newest,
                md5(cast(({content}) as text)) as own
            from placed where place is null
        ), named as (
            select * exclude (place), case
                when age > 1 and own = newest then 'duplicate'
                when age > 1 then 'superseded'
                {arms}
                else 'accepted'
            end as place
            from ranked as r
        )
        select {", ".join(columns)}, place from named
        union all
        select {", ".join(columns)}, place from placed where place is not null
    """)
    service.database.execute(
        f"create or replace temporary table accepted_{name} as from judged where place = 'accepted'"
    )
    places = Counter({str(p): int(str(n)) for p, n in service.rows(
        "select place, count(*) from judged group by place"
    )})  # fmt: skip
    ends = {
        f"{place}_rows": places.pop(place, 0)
        for place in ("accepted", "duplicate", "superseded", "beyond_as_of")
    }
    ends["quarantined_rows"] = places.total()
    ends["raw_rows"] = sum(ends.values())
    return ends, places


@pytest.mark.parametrize("kind", ["clean", "dirty"])
def test_every_row_ends_where_the_truth_says(kind: str, request: pytest.FixtureRequest) -> None:
    service: Service = request.getfixturevalue(kind)
    tables = raw_tables()
    for name in [*JUDGED, *(name for name in tables if name not in JUDGED)]:
        ends, broken = judge(service, tables[name])
        assert ends == service.truth.row_reconciliation[name], name
        assert dict(broken) == service.truth.quarantined_by_rule[name], name


def test_clean_data_are_accepted_to_the_row(clean: Service) -> None:
    for name, row in clean.truth.row_reconciliation.items():
        assert row["raw_rows"] == row["accepted_rows"] > 0, name


def test_dirt_breaks_every_rule_and_stays_under_the_gate(dirty: Service) -> None:
    every = Counter[str]()
    for counts in dirty.truth.quarantined_by_rule.values():
        every.update(counts)
    assert set(every) == {
        "null_key", "null_recorded_at", "event_after_recorded", "null_value", "unknown_value",
        "unknown_currency", "missing_reference", "ends_before_start", "negative_watched_seconds",
        "out_of_range", "refund_above_payment",
    }  # fmt: skip
    for name, row in dirty.truth.row_reconciliation.items():
        assert row["quarantined_rows"] < 0.01 * row["raw_rows"], name
        assert row["duplicate_rows"] > 0, name
        assert row["superseded_rows"] > 0, name


def test_dirt_leaves_true_rows_true(
    dirty: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from simulator import simulate

    from .conftest import open_service

    folder = tmp_path_factory.mktemp("undirtied") / "raw"
    same = open_service(folder, simulate(subscribers=2000, months=36, seed=11, out=folder))
    for name in ("subscribers", "plans", "invoices", "invoice_lines"):
        judge(dirty, raw_tables()[name])
        columns = ", ".join(
            column.name for column in raw_tables()[name].columns if column.name != "recorded_at"
        )
        digest = f"select count(*), bit_xor(hash({columns})) from"
        assert dirty.rows(f"{digest} accepted_{name}") == same.rows(f"{digest} {name}"), name


def test_labels_nobody_knows_are_counted(clean: Service, dirty: Service) -> None:
    strange = Counter[str]()
    for (name, column), words in OPEN_LISTS.items():
        query = f"select count(*) from {name} where {column} not in ({quoted(words)})"
        assert clean.number(query) == 0, (name, column)
        strange[name] += int(dirty.number(query + " and recorded_at < timestamp '2026-01-01'"))
    for name, count in strange.items():
        planned = dirty.truth.dirt[name]["unheard_of_label"]
        # older versions of tickets had another topic as well
        older = dirty.truth.row_reconciliation[name]["superseded_rows"]
        assert count - planned == (older if name == "support_tickets" else 0), name


def test_sessions_arrive_months_late(dirty: Service) -> None:
    late = dirty.number("""
        select count(*) from (
            select session_id, min(recorded_at - ended_at) as delay
            from playback_sessions where session_id not like 'zz%' group by 1
        ) where delay > interval 50 day
    """)
    assert late == dirty.truth.dirt["playback_sessions"]["late"] > 0
