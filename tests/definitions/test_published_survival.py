"""The survival curves on other people's patients and flies, as lifetimes of a service.

Gehan (1965) gives the remissions of leukaemia patients on 6-mercaptopurine; every textbook of
survival analysis has their Kaplan-Meier curve. The flies of `waltons`, and a random group with
ties and tenures of no day, are judged by lifelines. Both data sets come with that package.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources

import duckdb
import lifelines
import lifelines.datasets
import pytest

from tests.definitions.pipeline import write_raw
from tests.definitions.reference import Settings
from tests.definitions.stories import RawRows, service, told
from tests.selected_models import build_selected

AS_OF = datetime(2026, 1, 1, 18, tzinfo=UTC)
# long enough before for an end to be final
LAST_END = datetime(2025, 12, 29, 12, tzinfo=UTC)
Z = 1.959963984540054

# weeks, survival and its error as the textbooks print them: Kleinbaum and Klein, "Survival
# Analysis" (2012), chapter 2, and the summary of R's survfit
SIX_MP = {
    6: (0.857, 0.0764),
    7: (0.807, 0.0869),
    10: (0.753, 0.0963),
    13: (0.690, 0.1068),
    16: (0.627, 0.1141),
    22: (0.538, 0.1282),
    23: (0.448, 0.1346),
}


@dataclass(frozen=True)
class Lifetime:
    """How long somebody was seen, days, and whether that was to the end."""

    days: int
    has_ended: bool


@dataclass(frozen=True)
class Point:
    """A row of the curve."""

    at_risk: int
    churned: int
    censored: int
    survival: float
    std_error: float | None
    ci_lower: float | None
    ci_upper: float | None


Curve = Mapping[int, Point]


def _gehan() -> list[Lifetime]:
    text = resources.files("lifelines.datasets").joinpath("gehan.dat").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return [Lifetime(int(weeks), event == "1") for group, weeks, event in rows if group == "2"]


def _waltons() -> dict[str, list[Lifetime]]:
    flies: dict[str, list[Lifetime]] = {}
    for row in lifelines.datasets.load_waltons().itertuples():
        flies.setdefault(row.group, []).append(Lifetime(int(row.T), row.E == 1))
    return flies


def _random() -> list[Lifetime]:
    """Return 400 lifetimes of 0 to 40 days: every tenure comes ten times over, 0 too."""
    rng = random.Random(20)  # noqa: S311 - no secret
    return [Lifetime(rng.randint(0, 40), rng.random() < 0.6) for _ in range(400)]


GROUPS = {"six_mp": _gehan(), "random": _random(), **_waltons()}


def _service() -> RawRows:
    """Return a service in which each group is the people of one channel."""
    raw = service([])
    raw["plans"] = [told("plans")]
    for channel, lifetimes in GROUPS.items():
        for number, lifetime in enumerate(lifetimes):
            name = f"{channel} {number}"
            last_day = LAST_END if lifetime.has_ended else AS_OF
            started_at = last_day.replace(hour=6) - timedelta(days=lifetime.days)
            moments = {"active": started_at}
            if lifetime.has_ended:
                moments["ended"] = LAST_END
            raw["subscribers"].append(
                told(
                    "subscribers",
                    subscriber_id=name,
                    acquisition_channel=channel,
                    signed_up_at=started_at,
                )
            )
            raw["subscription_changes"].extend(
                told(
                    "subscription_changes",
                    change_id=f"{name} {status}",
                    subscription_id=name,
                    subscriber_id=name,
                    changed_at=changed_at,
                    status=status,
                )
                for status, changed_at in moments.items()
            )
    return raw


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Curve]:
    """The points of the mart, by group and tenure."""
    folder = tmp_path_factory.mktemp("published")
    rng = random.Random(1)  # noqa: S311 - no secret
    write_raw(_service(), folder / "raw", rng)
    build = build_selected(folder / "raw", folder, Settings(as_of=AS_OF), "survival_curves")
    found: dict[str, dict[int, Point]] = {}
    with duckdb.connect(str(build), read_only=True) as connection:
        rows = connection.execute(
            "select stratum_value, tenure_days, at_risk, churned, censored,"
            " survival, std_error, ci_lower, ci_upper"
            " from marts.survival_curves where stratum = 'channel'"
        ).fetchall()
    for group, days, *point in rows:
        found.setdefault(group, {})[days] = Point(*point)
    return found


def test_remissions_on_six_mp_are_as_published(curves: Mapping[str, Curve]) -> None:
    curve = curves["six_mp"]
    assert {days for days, point in curve.items() if point.churned} == set(SIX_MP)
    for days, (survival, error) in SIX_MP.items():
        assert curve[days].survival == pytest.approx(survival, abs=5e-4)
        assert curve[days].std_error == pytest.approx(error, abs=5e-5)
    # 21 patients, of whom 9 relapsed
    assert curve[6].at_risk == 21
    assert sum(point.churned for point in curve.values()) == 9
    assert sum(point.censored for point in curve.values()) == 12


def _group(name: str) -> lifelines.KaplanMeierFitter:
    lifetimes = GROUPS[name]
    return lifelines.KaplanMeierFitter().fit(
        [lifetime.days for lifetime in lifetimes], [lifetime.has_ended for lifetime in lifetimes]
    )


@pytest.mark.parametrize("name", GROUPS)
def test_curves_are_those_of_lifelines(name: str, curves: Mapping[str, Curve]) -> None:
    fitted = _group(name)
    curve = curves[name]
    assert set(curve) == {lifetime.days for lifetime in GROUPS[name]}
    table = fitted.event_table
    intervals = fitted.confidence_interval_
    for days, point in curve.items():
        counts = table.loc[days]
        # lifelines puts everybody's entrance at 0 and counts who is there just before it
        at_risk = len(GROUPS[name]) if days == 0 else counts["at_risk"]
        assert (point.at_risk, point.churned, point.censored) == (
            at_risk,
            counts["observed"],
            counts["censored"],
        )
        survival = float(fitted.survival_function_at_times(days).iloc[0])
        assert point.survival == pytest.approx(survival, abs=1e-9)
        lower, upper = (float(bound) for bound in intervals.loc[days])
        if survival == 0:
            assert (point.std_error, point.ci_lower, point.ci_upper) == (None, None, None)
            continue
        assert point.ci_lower == pytest.approx(lower, abs=1e-9)
        assert point.ci_upper == pytest.approx(upper, abs=1e-9)
        assert point.std_error == pytest.approx(_error(survival, lower, upper), abs=1e-9)


def _error(survival: float, lower: float, upper: float) -> float:
    """Return Greenwood's error, out of the width of the log-log interval."""
    if survival == 1:
        return 0.0
    width = math.log(-math.log(lower)) - math.log(-math.log(upper))
    return survival * abs(math.log(survival)) * width / (2 * Z)


def test_flies_are_all_there(curves: Mapping[str, Curve]) -> None:
    flies = [point for name in _waltons() for point in curves[name].values()]
    assert sum(point.churned for point in flies) == 156
    assert sum(point.censored for point in flies) == 7
