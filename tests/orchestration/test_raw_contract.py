"""The sources' YAML as Python reads it."""

from pathlib import Path

import pytest

from orchestration.raw.contract import RawContract, read_raw_contract

REQUIRED = {
    "subscribers",
    "plans",
    "subscription_changes",
    "invoices",
    "invoice_lines",
    "payments",
    "playback_sessions",
}
OPTIONAL = {
    "refunds",
    "exchange_rates",
    "titles",
    "support_tickets",
    "survey_responses",
    "campaign_touches",
    "marketing_spend",
    "erasure_requests",
}

TABLE = """
sources:
  - name: raw
    tables:
      - name: plans
        config: {{meta: {{is_required: true, key: [{key}], event_time: null}}}}
        columns: [{{name: plan_id, data_type: {data_type}}}]
"""


def test_required_and_optional_tables(contract: RawContract) -> None:
    assert {table.name for table in contract.tables if table.is_required} == REQUIRED
    assert {table.name for table in contract.tables if not table.is_required} == OPTIONAL


def test_every_table_says_when_a_row_arrived(contract: RawContract) -> None:
    for table in contract.tables:
        assert table.columns[-1].name == "recorded_at"
        assert table.columns[-1].data_type == "timestamp"


def test_keys_and_event_times(contract: RawContract) -> None:
    spend = contract.table("marketing_spend")
    assert spend.key == ("spend_date", "acquisition_channel", "country_code")
    assert spend.event_time == "spend_date"
    assert contract.table("titles").event_time is None
    nullable = {column.name for column in contract.table("refunds").columns if column.is_nullable}
    assert nullable == {"reason"}


def test_unknown_table(contract: RawContract) -> None:
    with pytest.raises(KeyError):
        contract.table("people")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TABLE.format(key="plan", data_type="string"), "has no column plan"),
        (TABLE.format(key="plan_id", data_type="money"), "unknown type 'money'"),
        (TABLE.format(key="plan_id", data_type="string").replace("event_time: null", ""), "lacks"),
        (
            TABLE.format(key="plan_id", data_type="string").replace("null", "null, start_time: at"),
            "has no column at",
        ),
    ],
)
def test_declaration_that_lacks_something(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "_x__sources.yml").write_text(text)
    with pytest.raises(ValueError, match=told):
        read_raw_contract(tmp_path)


def test_table_declared_twice(tmp_path: Path) -> None:
    for name in ("_a__sources.yml", "_b__sources.yml"):
        (tmp_path / name).write_text(TABLE.format(key="plan_id", data_type="string"))
    with pytest.raises(ValueError, match="declared twice"):
        read_raw_contract(tmp_path)
