"""What parameters a run takes, and how it refuses the others."""

import json
from pathlib import Path

import pytest

from orchestration.errors import Fault
from orchestration.settings import PROJECT_DIR
from orchestration.transform.parameters import check_parameters


def faults_of(*, as_of: str | None = None, variables: str | None = None) -> tuple[Fault, ...]:
    return check_parameters(PROJECT_DIR, as_of=as_of, variables=variables).faults


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00"),
        ("2026-01-01", "2026-01-01 00:00:00"),
        ("2026-01-01 02:30:00.5+02:30", "2026-01-01 00:00:00.500000"),
        ("2025-12-31T21:00:00-03:00", "2026-01-01 00:00:00"),
    ],
)
def test_as_of_is_told_to_dbt_in_utc(given: str, told: str) -> None:
    findings = check_parameters(PROJECT_DIR, as_of=given)
    assert findings.faults == ()
    assert json.loads(findings.parameters.as_json()) == {"as_of": told}
    in_vars = check_parameters(PROJECT_DIR, variables=json.dumps({"as_of": given}))
    assert in_vars.parameters == findings.parameters


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "01/02/2026", ""])
def test_as_of_that_is_no_instant(given: str) -> None:
    (fault,) = faults_of(as_of=given)
    assert "no instant" in fault.what
    assert "2026-01-01T00:00:00Z" in fault.advice


def test_as_of_of_another_century_is_a_slip() -> None:
    (fault,) = faults_of(as_of="2300-01-01")
    assert "every month until then would be built" in fault.what


def test_as_of_of_the_project_is_told_in_utc_as_well(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    project = "vars:\n  as_of: '2026-01-01T02:00:00+02:00'\n"
    (tmp_path / "dbt_project.yml").write_text(project, encoding="utf-8")
    findings = check_parameters(tmp_path)
    assert findings.faults == ()
    assert json.loads(findings.parameters.as_json()) == {"as_of": "2026-01-01 00:00:00"}


def test_as_of_given_twice() -> None:
    (fault,) = faults_of(as_of="2026-01-01", variables='{"as_of": "2026-01-02"}')
    assert "twice" in fault.what


@pytest.mark.parametrize("given", ["", "{", "[]", "as_of: 2026-01-01", '"text"', "[" * 60_000])
def test_vars_that_are_no_json_object(given: str) -> None:
    (fault,) = faults_of(variables=given)
    assert "--vars" in fault.what


def test_a_var_that_is_named_twice() -> None:
    (fault,) = faults_of(variables='{"churn_grace_hours": 24, "churn_grace_hours": 0}')
    assert fault.what == "--vars names 'churn_grace_hours' twice"


def test_unknown_var_is_told_with_the_known_ones() -> None:
    (fault,) = faults_of(variables='{"reporting_timezones": "UTC"}')
    assert "reporting_timezones" in fault.what
    assert "reporting_timezone" in fault.advice


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "utc+3", "../etc/passwd", "", None, 3])
def test_unknown_time_zone(zone: object) -> None:
    (fault,) = faults_of(variables=json.dumps({"reporting_timezone": zone}))
    assert "no known time zone" in fault.what
    assert "America/Sao_Paulo" in fault.advice


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Kathmandu"])
def test_known_time_zone(zone: str) -> None:
    assert faults_of(variables=json.dumps({"reporting_timezone": zone})) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reporting_currency", "usd"),
        ("reporting_currency", "XYZ"),
        ("reporting_currency", None),
        ("past_due_grace_days", -1),
        ("past_due_grace_days", "28"),
        ("churn_grace_hours", 1.5),
        ("churn_grace_hours", True),
        ("risk_horizon_days", 60),
        ("risk_months", "x"),
        ("risk_months", -5),
        ("risk_lead_days", 1.5),
        ("title_horizon_days", None),
        ("max_quarantined_share", 1.01),
        ("max_quarantined_share", "0.5"),
        ("reporting_currency", ["USD"]),
        ("reporting_currency", {"USD": 1}),
        ("as_of", "0001-01-01T00:00:00+05:00"),
        ("as_of", "9999-12-31T23:59:59-05:00"),
        ("past_due_grace_days", 36_501),
        ("churn_grace_hours", 876_001),
        ("clv_horizon_months", 1_201),
        ("heavy_account_plays", 10**12),
        ("overlong_play_ratio", "x"),
        ("overlong_play_ratio", 0),
        ("overlong_play_ratio", float("inf")),
        ("overlong_play_ratio", float("nan")),
        ("overlong_play_ratio", None),
    ],
)
def test_value_that_a_var_cannot_have(name: str, value: object) -> None:
    (fault,) = faults_of(variables=json.dumps({name: value}))
    assert name in fault.what


def test_every_var_of_the_project_is_judged() -> None:
    judged = check_parameters(PROJECT_DIR).parameters.defaults
    for name in judged:
        (fault,) = faults_of(variables=json.dumps({name: {"an": "object"}}))
        assert name in fault.what


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TENURE_PORTION_PLAYS", "x"),
        ("TENURE_PORTION_PLAYS", "0"),
        ("TENURE_PORTION_PLAYS", "-1"),
        ("TENURE_PORTION_PLAYS", "1.5"),
        ("TENURE_MEMORY_LIMIT", "abc"),
        ("TENURE_MEMORY_LIMIT", "2.6"),
    ],
)
def test_settings_of_the_engine_are_judged_before_it_starts(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    (fault,) = faults_of()
    assert f"{name} is {value!r}" in fault.what


def test_settings_of_the_engine_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_PORTION_PLAYS", "6000000")
    monkeypatch.setenv("TENURE_MEMORY_LIMIT", "512 MiB")
    assert faults_of() == ()


def test_all_faults_are_told_at_once() -> None:
    variables = '{"reporting_currency": "XYZ", "reporting_timezone": "X", "unknown": 1}'
    assert len(faults_of(as_of="?", variables=variables)) == 4


def test_the_projects_own_vars_are_judged_too(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("vars: {reporting_timezone: Mars/Base}")
    (fault,) = check_parameters(tmp_path).faults
    assert "Mars/Base" in fault.what


def test_order_of_vars_makes_no_difference() -> None:
    one = check_parameters(
        PROJECT_DIR, variables='{"churn_grace_hours": 1, "past_due_grace_days": 2}'
    )
    other = check_parameters(
        PROJECT_DIR, variables='{"past_due_grace_days": 2, "churn_grace_hours": 1}'
    )
    assert one.parameters.as_json() == other.parameters.as_json()
