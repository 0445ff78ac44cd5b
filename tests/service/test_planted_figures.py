"""What was planted in a simulated service of 20,000 comes back through the models, in three errors.

Declined charges, tastes, and what the subscribers of a channel are worth. Survival is judged beside
the fits, the share of declined charges that is recovered beside the dunning.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, combinations_with_replacement
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from orchestration.database.warehouse import Warehouse
from orchestration.transform.project import ParsedProject
from simulator import simulate
from tests.built_service import build_service

STANDARD_ERRORS = 3
MARTS = ("clv_cohorts", "title_performance")


@dataclass(frozen=True)
class Service:
    """A simulated service: its truth, and what was built of it."""

    truth: Mapping[str, Any]
    built: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.built.execute(query).fetchall()


@pytest.fixture(scope="module")
def service(
    parsed_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service, and the models that its figures are read from; no data test runs."""
    folder = tmp_path_factory.mktemp("planted_figures")
    raw = folder / "raw"
    simulate(
        subscribers=20000,
        months=36,
        seed=7,
        out=raw,
        plays_per_month=1.0,
        dirt=False,
        end=datetime(2026, 1, 1, tzinfo=UTC),
    )
    place = Warehouse(folder / "warehouse")
    build_service(parsed_project, raw, place, marts=MARTS, fits=["survival"], tests="none")
    truth = json.loads((raw / "truth.json").read_text())
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        yield Service(truth, connection)


def test_card_charges_are_declined_as_planted(service: Service) -> None:
    ((charges, declined),) = service.rows(
        "with first_attempts as ("
        "    select status from staging.stg_billing__payments where method = 'card'"
        "    qualify row_number() over (partition by invoice_id order by attempted_at) = 1"
        ") select count(*), count(*) filter (status = 'failed') from first_attempts"
    )
    planted = service.truth["rates"]["decline_rate"]["card"]
    error = math.sqrt(planted * (1 - planted) / charges)
    assert error < 0.05 * planted
    assert abs(declined / charges - planted) < STANDARD_ERRORS * error


@dataclass(frozen=True)
class Tastes:
    """The planted tastes: `shares` of people, and `weights`, a row a taste, a column a genre."""

    genres: list[str]
    shares: np.ndarray
    weights: np.ndarray


@pytest.fixture(scope="module")
def tastes(service: Service) -> Tastes:
    planted = list(service.truth["tastes"].values())
    genres = sorted(planted[0]["genres"])
    weights = np.array([[taste["genres"][genre] for genre in genres] for taste in planted])
    # the weights of a taste are relative to each other
    return Tastes(
        genres,
        np.array([taste["share"] for taste in planted]),
        weights / weights.sum(axis=1, keepdims=True),
    )


@pytest.fixture(scope="module")
def plays(service: Service, tastes: Tastes) -> np.ndarray:
    """How often who watched what: a row a subscriber, a column a genre."""
    counts = ", ".join(f"count(*) filter (genre = '{genre}')" for genre in tastes.genres)
    return np.array(
        service.rows(
            f"select {counts} from staging.stg_viewing__playback_sessions"
            " join staging.stg_viewing__titles using (title_id) group by subscriber_id"
        ),
        dtype=float,
    )


def _assert_shares(found: np.ndarray, of: np.ndarray, planted: float) -> None:
    """Hold Σ found ÷ Σ of, an element a subscriber, against what was planted.

    People are independent of each other, the plays of one of them are not.
    """
    share = found.sum() / of.sum()
    error = math.sqrt(((found - planted * of) ** 2).sum()) / of.sum()
    assert error < 0.1 * planted
    assert abs(share - planted) < STANDARD_ERRORS * error


def test_genres_are_played_as_planted(service: Service, tastes: Tastes, plays: np.ndarray) -> None:
    """By title in the mart as by subscriber, and as often as the tastes have it."""
    by_genre = dict(
        service.rows(
            "select genre, sum(plays) from marts.title_performance"
            " where is_in_catalogue group by genre"
        )
    )
    assert by_genre == dict(zip(tastes.genres, plays.sum(axis=0), strict=True))
    for column, planted in enumerate(tastes.shares @ tastes.weights):
        _assert_shares(plays[:, column], plays.sum(axis=1), planted)


def test_two_plays_of_one_subscriber_are_of_one_taste(tastes: Tastes, plays: np.ndarray) -> None:
    """Of all pairs of plays of one subscriber, each pair of genres has its planted share.

    The tastes alone make plays of one subscriber alike: these shares are the tastes' shares times
    both weights, added up, which tells the weights of each of them.
    """
    all_pairs = plays.sum(axis=1) * (plays.sum(axis=1) - 1)
    for one, other in combinations_with_replacement(range(len(tastes.genres)), 2):
        pairs = plays[:, one] * (plays[:, other] - (one == other))
        planted = (tastes.shares * tastes.weights[:, one] * tastes.weights[:, other]).sum()
        _assert_shares(pairs, all_pairs, planted)


@dataclass(frozen=True)
class ChannelValue:
    """What the payers of a channel are worth on average, and its standard error."""

    planted_months: float
    """That a new payer was expected to pay, of the service's 36."""
    mean: float
    error: float


@pytest.fixture(scope="module")
def channels(service: Service) -> list[ChannelValue]:
    """The channels in the planted order, best first."""
    found = {
        channel: (float(mean), float(error))
        for channel, mean, error in service.rows(
            "select acquisition_channel, avg(clv_amount), stddev_samp(clv_amount) / sqrt(count(*))"
            " from marts.clv_subscribers"
            " join intermediate.int_clv__cohort_members using (subscriber_id)"
            " where clv_amount is not null group by acquisition_channel"
        )
    }
    strata = service.truth["survival"]["first_lifetime_strata"]["acquisition_channel"]
    return [
        ChannelValue(sum(strata[channel]["survival_by_month"][:36]), *found[channel])
        for channel in service.truth["channels_by_value"]
    ]


def test_cohorts_are_worth_what_their_subscribers_are(service: Service) -> None:
    by_cohort = service.rows(
        "select acquisition_channel, sum(cohort_size), sum(subscribers_without_forecast),"
        " sum(historic_value_amount) from marts.clv_cohorts group by 1 order by 1"
    )
    by_subscriber = service.rows(
        "select acquisition_channel, count(*), count(*) - count(clv_amount),"
        " sum(historic_value_amount) from marts.clv_subscribers"
        " join intermediate.int_clv__cohort_members using (subscriber_id) group by 1 order by 1"
    )
    assert by_cohort == by_subscriber


def test_no_channel_is_ranked_above_a_better_one_beyond_chance(
    channels: list[ChannelValue],
) -> None:
    """Neighbours lie within each other's errors, those that are far apart do not."""
    for better, worse in combinations(channels, 2):
        assert better.planted_months > worse.planted_months
        error = math.hypot(better.error, worse.error)
        assert worse.mean - better.mean < STANDARD_ERRORS * error
    best, *_, worst = channels
    assert best.mean - worst.mean > STANDARD_ERRORS * math.hypot(best.error, worst.error)


def test_channels_are_worth_what_their_months_are(channels: list[ChannelValue]) -> None:
    """Value is a straight line in the planted months, and every channel lies on it.

    Prices, plans and countries are alike in all channels. By weighted least squares the line
    rises, and what is left is a χ² of six channels less two parameters.
    """
    months = np.array([channel.planted_months for channel in channels])
    means = np.array([channel.mean for channel in channels])
    weights = np.array([channel.error for channel in channels]) ** -2.0
    centred = months - (weights @ months) / weights.sum()
    slope = (weights * centred) @ means / ((weights * centred) @ centred)
    assert slope > STANDARD_ERRORS * ((weights * centred) @ centred) ** -0.5
    residuals = means - (weights @ means) / weights.sum() - slope * centred
    assert weights @ residuals**2 < stats.chi2.ppf(0.9973, len(channels) - 2)
