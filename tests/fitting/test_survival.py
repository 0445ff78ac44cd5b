"""The survival models against what their authors published, each other, and simulated customers."""

import doctest
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.special import betaln

from fitting import survival
from fitting.survival import (
    BETA_DISCRETE_WEIBULL,
    SHIFTED_BETA_GEOMETRIC,
    FittedModel,
    PeriodCount,
    RiskTable,
    SurvivalModel,
    closed_form_residual_lifetime,
    counts_of_survivors,
    fit_survival,
)

# regular customers of Fader and Hardie (2007), survivors per 1,000 after 0, 1, … 7 renewals
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]

parameters = st.floats(0.05, 500)
shapes = st.floats(0.2, 3)


def _kept(fitted: FittedModel | None) -> FittedModel:
    assert fitted is not None
    return fitted


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(survival).failed == 0
    assert doctest.testmod(survival).attempted > 8


def test_seven_renewals_give_the_published_fit() -> None:
    simple = _kept(fit_survival(counts_of_survivors(REGULAR)).shifted_beta_geometric)
    assert simple.model.alpha == pytest.approx(0.7041, abs=0.001)
    assert simple.model.beta == pytest.approx(1.1820, abs=0.002)
    assert simple.log_likelihood == pytest.approx(-1680.265, abs=0.001)
    assert simple.model.survival([8, 12]) == pytest.approx([0.2201, 0.1700], abs=0.0005)


def test_four_renewals_give_the_published_fits_and_keep_the_simple_one() -> None:
    fit = fit_survival(counts_of_survivors(REGULAR[:5]))
    simple, general = _kept(fit.shifted_beta_geometric), _kept(fit.beta_discrete_weibull)
    assert [simple.model.alpha, simple.model.beta] == pytest.approx([0.7637, 1.2958], abs=1e-4)
    assert simple.log_likelihood == pytest.approx(-1401.559, abs=0.001)
    found = [general.model.alpha, general.model.beta, general.model.shape]
    assert found == pytest.approx([0.5230, 0.8943, 1.1964], abs=1e-4)
    assert general.log_likelihood == pytest.approx(-1401.383, abs=0.001)
    assert fit.p_value == pytest.approx(0.55, abs=0.005)
    assert fit.chosen is simple


def test_four_renewals_give_the_published_lifetimes_and_residual_values() -> None:
    model = _kept(fit_survival(counts_of_survivors(REGULAR[:5])).chosen).model
    assert model.expected_lifetime(discount_rate=0.1) == pytest.approx(3.6211, abs=1e-4)
    residual = {n: model.expected_residual_lifetime(n, discount_rate=0.1) for n in (1, 2, 5)}
    assert residual[5] == pytest.approx(5.6838, abs=1e-4)
    assert [round(100 * residual[n]) for n in (1, 2, 5)] == [288, 394, 568]


def test_the_sum_is_there_where_the_closed_form_is_out_of_range() -> None:
    model = SurvivalModel(alpha=66.0, beta=35.0)
    with pytest.raises(OverflowError, match="take the sum"):
        closed_form_residual_lifetime(model, 30, discount_rate=0.0625)
    # 64/130 of 1 + 65/131 z + 65·66/(131·132) z² + … with z = 16/17, which adds up to 1.88744
    residual = model.expected_residual_lifetime(30, discount_rate=0.0625)
    assert residual == pytest.approx(64 / 130 * 1.88744, abs=1e-5)


@given(alpha=parameters, beta=parameters, rate=st.floats(0.005, 0.5), renewal=st.integers(1, 30))
@settings(deadline=None, max_examples=60)
def test_the_closed_form_and_the_sum_agree(
    alpha: float, beta: float, rate: float, renewal: int
) -> None:
    model = SurvivalModel(alpha, beta)
    summed = model.expected_residual_lifetime(renewal, discount_rate=rate)
    assert math.isfinite(summed)
    try:
        closed = closed_form_residual_lifetime(model, renewal, discount_rate=rate)
        closed_at_start = closed_form_residual_lifetime(model, 0, discount_rate=rate)
    except OverflowError:
        reject()
    assert summed == pytest.approx(closed, rel=1e-8)
    assert model.expected_lifetime(discount_rate=rate) == pytest.approx(closed_at_start, rel=1e-8)


@given(alpha=parameters, beta=parameters)
@settings(deadline=None)
def test_shape_one_is_the_shifted_beta_geometric(alpha: float, beta: float) -> None:
    periods = np.arange(60)
    # the recursion of Fader and Hardie (2007): S(t) = S(t − 1) (β + t − 1) ÷ (α + β + t − 1)
    steps = (beta + periods[1:] - 1) / (alpha + beta + periods[1:] - 1)
    recursion = np.concatenate([[1.0], np.cumprod(steps)])
    assert SurvivalModel(alpha, beta, 1.0).survival(periods) == pytest.approx(
        recursion, rel=1e-10, abs=1e-10
    )


@given(alpha=parameters, beta=parameters, shape=shapes)
@settings(deadline=None)
def test_survival_is_that_of_the_beta_function_and_falls(
    alpha: float, beta: float, shape: float
) -> None:
    periods = np.arange(40)
    found = SurvivalModel(alpha, beta, shape).survival(periods)
    plainly = np.exp(betaln(alpha, beta + periods.astype(float) ** shape) - betaln(alpha, beta))
    assert found == pytest.approx(plainly, rel=1e-7, abs=1e-12)
    assert found[0] == 1
    assert np.all(np.diff(found) <= 1e-13)
    assert np.all((found >= 0) & (found <= 1))


@given(alpha=parameters, beta=parameters, shape=shapes)
@settings(deadline=None)
def test_the_likelihood_is_that_of_deaths_and_survivors(
    alpha: float, beta: float, shape: float
) -> None:
    counts = [PeriodCount(0, 0, 9), *(PeriodCount(t, 7 * t % 5, t % 3) for t in range(1, 9))]
    model = SurvivalModel(alpha, beta, shape)
    plainly = 0.0
    for count in counts:
        if count.censored:
            plainly += count.censored * float(model.log_survival(count.period))
        if count.churned:
            died = float(model.survival(count.period - 1) - model.survival(count.period))
            plainly += count.churned * math.log(died) if died > 0 else -math.inf
    if plainly > -1e6:
        assert model.log_likelihood(RiskTable.of(counts)) == pytest.approx(plainly, rel=1e-5)


def _simulated(
    rng: np.random.Generator, model: SurvivalModel, customers: int, periods: int
) -> list[PeriodCount]:
    """Customers who each begin at a time of their own in a window of so many periods."""
    curve = model.survival(np.arange(periods + 1))
    drawn = rng.random(customers)
    churned_in = np.array([int(np.searchsorted(-curve, -share)) for share in drawn])
    observed = rng.integers(0, periods, customers, endpoint=True)
    churned = Counter(churned_in[churned_in <= observed].tolist())
    censored = Counter(observed[churned_in > observed].tolist())
    return [PeriodCount(t, churned[t], censored[t]) for t in range(periods + 1)]


@pytest.mark.parametrize("shape", [0.7, 1.0, 1.5])
def test_planted_functions_come_back_from_simulated_customers(shape: float) -> None:
    planted = SurvivalModel(1.2, 9.0, shape)
    misses = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        fit = fit_survival(_simulated(rng, planted, customers=8000, periods=30))
        fitted = _kept(fit.beta_discrete_weibull)
        for figure in (
            lambda model: float(model.survival(12)),
            lambda model: float(model.survival(24)),
            lambda model: model.expected_lifetime(discount_rate=0.02),
        ):
            error = fitted.standard_error(figure)
            assert 0 < error < 0.1 * figure(planted)
            misses.append((figure(fitted.model) - figure(planted)) / error)
    # were the errors too small, these would be far out; too large, hardly out at all
    assert max(abs(miss) for miss in misses) < 4
    assert 0.5 < float(np.sqrt(np.mean(np.square(misses)))) < 1.6


def test_the_test_finds_a_shape_that_is_there() -> None:
    rng = np.random.default_rng(3)
    fit = fit_survival(_simulated(rng, SurvivalModel(1.2, 9.0, 1.5), customers=8000, periods=30))
    assert _kept(fit.chosen).name == BETA_DISCRETE_WEIBULL
    assert fit.p_value is not None
    assert fit.p_value < 1e-4


def test_the_test_rarely_finds_a_shape_that_is_not_there() -> None:
    rng = np.random.default_rng(4)
    planted = SurvivalModel(1.2, 9.0)
    fits = [fit_survival(_simulated(rng, planted, 3000, 18)) for _ in range(20)]
    rejected = sum(_kept(fit.chosen).name == BETA_DISCRETE_WEIBULL for fit in fits)
    # of 20 at 5 %: more than this once in three thousand times
    assert rejected <= 5


def test_who_was_last_seen_before_a_renewal_says_nothing() -> None:
    counts = counts_of_survivors(REGULAR)
    assert fit_survival([PeriodCount(0, 0, 10_000), *counts]) == fit_survival(counts)


def test_the_order_and_the_batches_of_counts_change_nothing() -> None:
    counts = counts_of_survivors(REGULAR)
    again = [*reversed(counts[1:]), PeriodCount(1, 300, 0), PeriodCount(1, 69, 0)]
    assert fit_survival(again) == fit_survival(counts)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([], "nobody has come up to a first renewal yet"),
        ([PeriodCount(0, 0, 50)], "nobody has come up to a first renewal yet"),
        ([PeriodCount(3, 0, 50)], "nobody has churned"),
        ([PeriodCount(1, 50, 0)], "nobody has renewed"),
        ([PeriodCount(1, 20, 30)], "only one renewal was ever due"),
    ],
)
def test_nothing_is_fitted_where_there_is_nothing_to_fit(
    counts: list[PeriodCount], reason: str
) -> None:
    fit = fit_survival(counts)
    assert fit.reason == reason
    assert fit.chosen is None
    assert fit.shifted_beta_geometric is None
    assert fit.beta_discrete_weibull is None
    assert fit.p_value is None


def test_two_renewals_tell_two_parameters_and_no_shape() -> None:
    fit = fit_survival(counts_of_survivors([1000, 600, 450]))
    assert _kept(fit.chosen).name == SHIFTED_BETA_GEOMETRIC
    assert _kept(fit.chosen).model.survival([1, 2]) == pytest.approx([0.6, 0.45], abs=1e-5)
    assert fit.beta_discrete_weibull is None


@pytest.mark.parametrize(
    "survivors",
    [
        [3, 2, 1],
        [10, 9, 9, 9, 9],
        [1000, 500, 500, 500, 500],
        [1000, 500, 250, 125, 62, 31],
        [1000, 999, 990, 900, 300, 0],
        [1000, 100, 10, 1, 0],
        [10**9, 10**9 - 1, 10**9 - 2, 10**9 - 3],
    ],
)
def test_odd_counts_give_finite_figures(survivors: list[int]) -> None:
    fitted = _kept(fit_survival(counts_of_survivors(survivors)).chosen)
    figures = [
        fitted.model.alpha,
        fitted.model.beta,
        fitted.model.shape,
        fitted.log_likelihood,
        *fitted.model.survival(np.arange(200)),
        fitted.model.expected_lifetime(discount_rate=0.01),
        fitted.standard_error(lambda model: float(model.survival(3))),
    ]
    assert np.all(np.isfinite(figures))


def test_one_probability_for_all_is_a_geometric() -> None:
    fitted = _kept(fit_survival(counts_of_survivors([4096, 2048, 1024, 512, 256])).chosen)
    assert fitted.model.survival([6, 10]) == pytest.approx([2**-6, 2**-10], rel=0.01)


def test_survivors_who_come_back_are_refused() -> None:
    with pytest.raises(ValueError, match="12 survivors in period 2 after 11"):
        counts_of_survivors([20, 11, 12])


@pytest.mark.parametrize(
    "count", [PeriodCount(-1, 0, 1), PeriodCount(2, -1, 1), PeriodCount(0, 1, 1)]
)
def test_counts_that_make_no_sense_are_refused(count: PeriodCount) -> None:
    with pytest.raises(ValueError, match=r"count below 0|renewal 0"):
        fit_survival([count])


def test_lifetimes_without_a_discount_are_refused() -> None:
    model = SurvivalModel(0.7, 1.2)
    with pytest.raises(ValueError, match="or above"):
        model.expected_lifetime(discount_rate=0)
    with pytest.raises(ValueError, match="number 1"):
        model.expected_residual_lifetime(0, discount_rate=0.1)
    with pytest.raises(ValueError, match="shape 1"):
        closed_form_residual_lifetime(SurvivalModel(0.7, 1.2, 1.1), 1, discount_rate=0.1)
