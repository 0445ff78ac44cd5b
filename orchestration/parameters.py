"""The parameters of a run, judged against the dbt project's vars before anything is built."""

import csv
import json
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import duckdb
import yaml

from orchestration.errors import Fault

VarValue = str | int | float | bool | None

AS_OF = "as_of"

AS_OF_ADVICE = "Write an instant in UTC, such as 2026-01-01T00:00:00Z"

# days of the two shortest months in a row: the outcomes of a longer horizon reach from what a model
# learns from into what it is tested on
LONGEST_RISK_HORIZON = 59


@dataclass(frozen=True)
class Parameters:
    """Checked parameters of a run: the project's own vars, and those that differ."""

    overrides: Mapping[str, VarValue]
    defaults: Mapping[str, VarValue]

    def value(self, name: str) -> VarValue:
        """What a var is in this run; KeyError if the project has none of this name."""
        return self.overrides[name] if name in self.overrides else self.defaults[name]

    def values(self) -> dict[str, VarValue]:
        """What every var is in this run."""
        return {**self.defaults, **self.overrides}

    def as_json(self) -> str:
        """The overrides as the JSON text that dbt takes, in one order whatever they came in."""
        return json.dumps(dict(self.overrides), sort_keys=True)


@dataclass(frozen=True)
class ParameterFindings:
    """Parameters, or what is wrong with them."""

    parameters: Parameters
    faults: tuple[Fault, ...]


def check_parameters(
    project_dir: Path, *, as_of: str | None = None, variables: str | None = None
) -> ParameterFindings:
    """The parameters that `--as-of` and `--vars` (JSON text) give, with every fault in them.

    The project's own vars are judged too: a wrong one in `dbt_project.yml` is as wrong.
    """
    document = yaml.safe_load((project_dir / "dbt_project.yml").read_text(encoding="utf-8"))
    defaults: dict[str, VarValue] = document.get("vars", {})
    overrides, faults = _parse_overrides(variables, defaults)
    if as_of is not None:
        if overrides.get(AS_OF) is not None:
            faults.append(Fault("as_of is given twice, by --as-of and in --vars", "Leave one out"))
        overrides[AS_OF] = as_of
    checks = _checks(project_dir)
    for name, value in {**defaults, **overrides}.items():
        if name in checks and (fault := checks[name](value)):
            faults.append(fault)
    text = overrides.get(AS_OF, defaults.get(AS_OF))
    if isinstance(text, str) and (instant := _parse_instant(text)):
        # one spelling, without the offset that some engines would pass over
        overrides[AS_OF] = instant.replace(tzinfo=None).isoformat(sep=" ")
    parameters = Parameters(MappingProxyType(overrides), MappingProxyType(defaults))
    return ParameterFindings(parameters, tuple(faults))


def _parse_overrides(
    variables: str | None, defaults: Mapping[str, VarValue]
) -> tuple[dict[str, VarValue], list[Fault]]:
    if not variables:
        return {}, []
    advice = """Write a JSON object, such as '{"reporting_timezone": "America/Sao_Paulo"}'"""
    try:
        parsed = json.loads(variables)
    except json.JSONDecodeError as error:
        what = f"--vars is not JSON: {error.msg} at character {error.pos + 1}"
        return {}, [Fault(what, advice)]
    if not isinstance(parsed, dict):
        return {}, [Fault(f"--vars is {type(parsed).__name__}, not an object", advice)]
    known = ", ".join(sorted(defaults))
    faults = [
        Fault(f"--vars names {name!r}, which is no var of this project", f"Use one of {known}")
        for name in parsed
        if name not in defaults
    ]
    return {name: value for name, value in parsed.items() if name in defaults}, faults


def _checks(project_dir: Path) -> dict[str, Callable[[VarValue], Fault | None]]:
    currencies = project_dir / "seeds" / "iso_currencies.csv"
    return {
        AS_OF: _check_as_of,
        "reporting_timezone": _check_timezone,
        "reporting_currency": lambda value: _check_currency(value, currencies),
        "past_due_grace_days": lambda value: _check_count("past_due_grace_days", value),
        "churn_grace_hours": lambda value: _check_count("churn_grace_hours", value),
        "max_quarantined_share": lambda value: _check_share("max_quarantined_share", value),
        "clv_horizon_months": lambda value: _check_count("clv_horizon_months", value),
        "clv_minimum_churned": lambda value: _check_count("clv_minimum_churned", value),
        "risk_horizon_days": _check_horizon,
        "risk_lead_days": lambda value: _check_count("risk_lead_days", value),
        "risk_months": lambda value: _check_count("risk_months", value),
        "risk_sample_lifetimes": lambda value: _check_count("risk_sample_lifetimes", value),
        "heavy_account_plays": lambda value: _check_count("heavy_account_plays", value),
        "title_landmark_days": lambda value: _check_count("title_landmark_days", value),
        "title_horizon_days": lambda value: _check_count("title_horizon_days", value),
        "title_minimum_lifetimes": lambda value: _check_count("title_minimum_lifetimes", value),
        "clv_annual_discount_rate": lambda value: _check_share("clv_annual_discount_rate", value),
        "clv_contribution_margin": lambda value: _check_share("clv_contribution_margin", value),
    }


def _check_as_of(value: VarValue) -> Fault | None:
    if value is None or (isinstance(value, str) and _parse_instant(value)):
        return None
    return Fault(f"as_of is {value!r}, which is no instant", AS_OF_ADVICE)


def _parse_instant(text: str) -> datetime | None:
    """The instant in UTC that an ISO 8601 text says; one without an offset is in UTC."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _check_timezone(value: VarValue) -> Fault | None:
    advice = "Write a name of the IANA database, such as Europe/Berlin, America/Sao_Paulo or UTC"
    fault = Fault(f"reporting_timezone is {value!r}, which is no known time zone", advice)
    if not isinstance(value, str):
        return fault
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return fault
    # what Python knows and the engine doesn't would break the build half way
    with duckdb.connect(":memory:") as connection:
        try:
            connection.execute("select timezone(?, timestamp '2026-01-01')", [value]).fetchall()
        except duckdb.Error:
            return fault
    return None


def _check_currency(value: VarValue, currencies: Path) -> Fault | None:
    with currencies.open(newline="", encoding="utf-8") as rows:
        known = {row["currency"] for row in csv.DictReader(rows)}
    if value in known:
        return None
    return Fault(
        f"reporting_currency is {value!r}, which ISO 4217 does not know",
        "Write a code of three capital letters, such as USD or EUR",
    )


def _check_count(name: str, value: VarValue) -> Fault | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return None
    return Fault(
        f"{name} is {value!r}, which is no whole number from 0 on", "Write one, such as 24"
    )


def _check_horizon(value: VarValue) -> Fault | None:
    if isinstance(value, int) and value > LONGEST_RISK_HORIZON:
        what = f"risk_horizon_days is {value}, more than {LONGEST_RISK_HORIZON}"
        advice = "A model is tested on a month that lies a month after those it learned from"
        return Fault(what, advice)
    return _check_count("risk_horizon_days", value)


def _check_share(name: str, value: VarValue) -> Fault | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 <= float(value or 0) <= 1:
        return None
    return Fault(
        f"{name} is {value!r}, which is no share from 0 to 1",
        "Write one, such as 0.01",
    )
