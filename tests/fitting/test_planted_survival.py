"""The planted survival of a simulated service comes back through the project's own counts.

20,000 subscribers go through the models up to the counts, and the counts through the fit. Functions
are compared, S(12), S(24) and the discounted lifetime, never α and β: very different pairs give the
same curve.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from fitting.survival import FittedModel, PeriodCount, SurvivalModel, fit_survival
from orchestration.database.warehouse import Warehouse
from orchestration.transform.project import ParsedProject
from simulator import simulate
from tests.built_service import build_service

# a month's, about 13 % a year
DISCOUNT_RATE = 0.01
# the truth of a stratum is known so far
PLANTED_MONTHS = 36


@dataclass(frozen=True)
class Service:
    """What was planted in a simulated service, and what its models counted, by stratum."""

    truth: Mapping[str, Any]
    counts: Mapping[str, list[PeriodCount]]
    channel_counts: Mapping[str, list[PeriodCount]]
    """Of first lifetimes that are billed by the month."""


@pytest.fixture(scope="module")
def planted(parsed_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("planted")
    raw = folder / "raw"
    simulate(
        subscribers=20000,
        months=36,
        seed=7,
        out=raw,
        plays_per_month=0,
        dirt=False,
        end=datetime(2026, 1, 1, tzinfo=UTC),
    )
    place = Warehouse(folder / "warehouse")
    build_service(
        parsed_project, raw, place, marts=["int_clv__lifetime_counts"], fits=[], tests="none"
    )
    truth = json.loads((raw / "truth.json").read_text())["survival"]
    return Service(
        truth,
        _counts(
            place.build_file,
            "select stratum_id, period, churned, censored"
            " from intermediate.int_clv__lifetime_counts",
        ),
        # no mart fits channels: what is counted for them stands on the same renewals
        _counts(
            place.build_file,
            "select acquisition_channel, period,"
            " count(*) filter (has_churned), count(*) filter (not has_churned)"
            " from intermediate.int_clv__lifetime_renewals"
            " join staging.stg_subscribers__subscribers using (subscriber_id)"
            " where lifetime_number = 1 and billing_period_unit = 'month'"
            " and billing_period_count = 1"
            " group by acquisition_channel, period",
        ),
    )


def _counts(build_file: Path, query: str) -> dict[str, list[PeriodCount]]:
    counts: dict[str, list[PeriodCount]] = {}
    with duckdb.connect(str(build_file), read_only=True) as connection:
        for stratum, *count in connection.execute(query).fetchall():
            counts.setdefault(stratum, []).append(PeriodCount(*count))
    return counts


def _fitted(counts: list[PeriodCount]) -> FittedModel:
    chosen = fit_survival(counts).chosen
    assert chosen is not None
    return chosen


def _assert_within_three_errors(
    fitted: FittedModel, figure: Callable[[SurvivalModel], float], truth: float
) -> None:
    error = fitted.standard_error(figure)
    assert 0 < error < 0.2 * truth
    assert abs(figure(fitted.model) - truth) < 3 * error


def _survival(period: int) -> Callable[[SurvivalModel], float]:
    return lambda model: float(model.survival(period))


@pytest.mark.parametrize(("planted_as", "band"), [("first", "1"), ("second", "2"), ("later", "3+")])
def test_lifetimes_survive_as_planted(planted_as: str, band: str, planted: Service) -> None:
    truth = planted.truth["lifetimes"][planted_as]
    fitted = _fitted(planted.counts[f"all tiers | month | {band}"])
    _assert_within_three_errors(fitted, _survival(12), truth["survival_12"])
    _assert_within_three_errors(fitted, _survival(24), truth["survival_24"])
    _assert_within_three_errors(
        fitted,
        lambda model: model.expected_lifetime(discount_rate=DISCOUNT_RATE),
        SurvivalModel(truth["alpha"], truth["beta"]).expected_lifetime(discount_rate=DISCOUNT_RATE),
    )


@pytest.mark.parametrize("tier", ["basic", "standard", "premium", "family"])
def test_tiers_survive_as_planted(tier: str, planted: Service) -> None:
    truth = planted.truth["first_lifetime_strata"]["plan_tier"][tier]
    _assert_survives_as(truth, _fitted(planted.counts[f"{tier} | month | 1"]))


@pytest.mark.parametrize(
    "channel", ["referral", "organic", "partner", "paid_search", "affiliate", "social"]
)
def test_channels_survive_as_planted(channel: str, planted: Service) -> None:
    truth = planted.truth["first_lifetime_strata"]["acquisition_channel"][channel]
    _assert_survives_as(truth, _fitted(planted.channel_counts[channel]))


def _assert_survives_as(truth: Mapping[str, Any], fitted: FittedModel) -> None:
    _assert_within_three_errors(fitted, _survival(12), truth["survival_12"])
    _assert_within_three_errors(fitted, _survival(24), truth["survival_24"])
    months = np.arange(PLANTED_MONTHS + 1)
    discounts = (1 + DISCOUNT_RATE) ** -months.astype(float)
    _assert_within_three_errors(
        fitted,
        lambda model: float(model.survival(months) @ discounts),
        float(np.array(truth["survival_by_month"]) @ discounts),
    )


def test_tiers_come_in_the_planted_order(planted: Service) -> None:
    tiers = planted.truth["first_lifetime_strata"]["plan_tier"]
    found = {
        tier: float(_fitted(planted.counts[f"{tier} | month | 1"]).model.survival(12))
        for tier in tiers
    }
    truth = {tier: tiers[tier]["survival_12"] for tier in tiers}
    assert sorted(tiers, key=found.__getitem__) == sorted(tiers, key=truth.__getitem__)
