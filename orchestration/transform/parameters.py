"""The parameters of a run, judged against the dbt project's vars before anything is built."""

import csv
import json
import os
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import yaml

from orchestration.errors import Fault

VarValue = str | int | float | bool | None

AS_OF = "as_of"

PORTION_PLAYS, MEMORY_LIMIT = "TENURE_PORTION_PLAYS", "TENURE_MEMORY_LIMIT"

AS_OF_ADVICE = "Write an instant in UTC, such as 2026-01-01T00:00:00Z"

LATEST_AS_OF = datetime(2200, 1, 1, tzinfo=UTC)

# days of the two shortest months in a row: the outcomes of a longer horizon reach from what a model
# learns from into what it is tested on
LONGEST_RISK_HORIZON = 59

# more of it is a slip of the hand: a century of days, hours or months, and a billion of anything
MOST_DAYS, MOST_HOURS, MOST_MONTHS, MOST = 36_500, 876_000, 1_200, 1_000_000_000
LARGEST_RATIO = 1_000_000
MOST_BY_COUNT = {
    "past_due_grace_days": MOST_DAYS,
    "churn_grace_hours": MOST_HOURS,
    "clv_horizon_months": MOST_MONTHS,
    "clv_minimum_churned": MOST,
    "risk_lead_days": MOST_DAYS,
    "risk_months": MOST_MONTHS,
    "risk_sample_lifetimes": MOST,
    "heavy_account_plays": MOST,
    "title_landmark_days": MOST_DAYS,
    "title_horizon_days": MOST_DAYS,
    "title_minimum_lifetimes": MOST,
}


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

    def without(self, name: str) -> "Parameters":
        """The same, but for this var as the project has it."""
        overrides = {each: value for each, value in self.overrides.items() if each != name}
        return Parameters(MappingProxyType(overrides), self.defaults)

    def without_overrides(self) -> "Parameters":
        """The project's own vars, with nothing that differs."""
        return Parameters(MappingProxyType({}), self.defaults)

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
    faults.extend(_check_engine())
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


class _TwiceError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        # of two values JSON takes the last, and whoever wrote them may have meant the first
        if name in found:
            raise _TwiceError(name)
        found[name] = value
    return found


def _parse_overrides(
    variables: str | None, defaults: Mapping[str, VarValue]
) -> tuple[dict[str, VarValue], list[Fault]]:
    if variables is None:
        return {}, []
    advice = """Write a JSON object, such as '{"reporting_timezone": "America/Sao_Paulo"}'"""
    try:
        parsed = json.loads(variables, object_pairs_hook=_each_once)
    except _TwiceError as twice:
        return {}, [Fault(f"--vars names {twice.name!r} twice", "Name it once")]
    except json.JSONDecodeError as error:
        what = f"--vars is not JSON: {error.msg} at character {error.pos + 1}"
        return {}, [Fault(what, advice)]
    except RecursionError:
        return {}, [Fault("--vars is nested too deeply", advice)]
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
        "max_quarantined_share": lambda value: _check_share("max_quarantined_share", value),
        "overlong_play_ratio": _check_ratio,
        "risk_horizon_days": _check_horizon,
        "clv_annual_discount_rate": lambda value: _check_share("clv_annual_discount_rate", value),
        "clv_contribution_margin": lambda value: _check_share("clv_contribution_margin", value),
        **{name: partial(_check_count, name, most=most) for name, most in MOST_BY_COUNT.items()},
    }


def _check_engine() -> list[Fault]:
    """What is wrong with the settings of the engine, which dbt reads from the environment."""
    faults = []
    plays = os.environ.get(PORTION_PLAYS, "1")
    if not re.fullmatch(r"[0-9]{1,15}", plays) or int(plays) == 0:
        what = f"{PORTION_PLAYS} is {plays!r}, which is no whole number from 1 on"
        faults.append(Fault(what, "Write one, such as 9000000, or leave it out"))
    limit = os.environ.get(MEMORY_LIMIT, "1GB")
    try:
        duckdb.connect(":memory:", config={"memory_limit": limit}).close()
    except duckdb.Error:
        what = f"{MEMORY_LIMIT} is {limit!r}, which is no size of memory"
        faults.append(Fault(what, "Write one with its unit, such as 2.6GB, or leave it out"))
    return faults


def _check_as_of(value: VarValue) -> Fault | None:
    if value is None:
        return None
    instant = _parse_instant(value) if isinstance(value, str) else None
    if instant is None:
        return Fault(f"as_of is {value!r}, which is no instant", AS_OF_ADVICE)
    if instant >= LATEST_AS_OF:
        what = f"as_of is {value!r}, and every month until then would be built"
        return Fault(what, f"Name one before {LATEST_AS_OF:%Y-%m-%d}, such as 2026-01-01T00:00:00Z")
    return None


def _parse_instant(text: str) -> datetime | None:
    """The instant in UTC that an ISO 8601 text says; one without an offset is in UTC."""
    try:
        instant = datetime.fromisoformat(text.strip())
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


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
    if isinstance(value, str) and value in known:
        return None
    return Fault(
        f"reporting_currency is {value!r}, which ISO 4217 does not know",
        "Write a code of three capital letters, such as USD or EUR",
    )


def _check_count(name: str, value: VarValue, *, most: int = MOST) -> Fault | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return None
    return Fault(
        f"{name} is {value!r}, which is no whole number from 0 to {most}", "Write one, such as 24"
    )


def _check_ratio(value: VarValue) -> Fault | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 < float(value or 0) <= LARGEST_RATIO:
        return None
    what = f"overlong_play_ratio is {value!r}, which is no number above 0, up to {LARGEST_RATIO}"
    return Fault(what, "Write one, such as 3")


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
