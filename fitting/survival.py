"""How many renewals customers last: beta-discrete-Weibull and shifted-beta-geometric survival.

A customer of probability θ to leave is still there after t renewals with (1 − θ)^(t^c). θ differs
between customers and is drawn from Beta(α, β). Mixed out, that is the beta-discrete-Weibull (Fader,
Hardie, Liu, Davin and Steenburgh 2018, "How to Project Customer Retention" Revisited: The Role of
Duration Dependence, Journal of Interactive Marketing 43):

    S(t) = B(α, β + t^c) ÷ B(α, β)

A shape c above 1 says that a customer's own probability to leave grows with tenure, below 1 that it
falls. Shape 1, where it never changes, is the shifted-beta-geometric (Fader and Hardie 2007, How to
Project Customer Retention, Journal of Interactive Marketing 21).

A period is a billing period. Period t ends with the t-th renewal, and who churns in it does not
make that renewal. Belongs here: likelihoods, fits, lifetimes in periods. Does not: money, and what
a stratum is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import chdtrc, digamma, gammaln, hyp2f1

Floats: TypeAlias = npt.NDArray[np.float64]
Loss: TypeAlias = Callable[[Floats], tuple[float, Floats]]
ModelName = Literal["shifted_beta_geometric", "beta_discrete_weibull"]

SHIFTED_BETA_GEOMETRIC: ModelName = "shifted_beta_geometric"
BETA_DISCRETE_WEIBULL: ModelName = "beta_discrete_weibull"

SIGNIFICANCE_LEVEL = 0.05

# so narrow a mixture is one probability for all, so wide a one is now or never
LOG_BOUNDS = ((math.log(1e-4), math.log(1e5)),) * 2 + ((math.log(0.05), math.log(20)),)
STARTS = ((0.5, 0.5), (1.0, 10.0), (10.0, 5.0), (50.0, 500.0))
NARROW = 1e4
SHAPE_STARTS = (1.0, 0.6, 1.7)

# of a mean log-likelihood: near enough for Newton's method to end at its top
PRECISION = 1e-12
NEWTON_STEPS = 4

# from here on Stirling's series is exact to the last digit, where differences of log-gammas are not
LARGE = 30.0

# what a sum of an expected lifetime may leave out, in periods
LEFT_OUT_PERIODS = 1e-11
SUMMED_AT_ONCE = 4096
SMALLEST_DISCOUNT_RATE = 1e-4


@dataclass(frozen=True)
class PeriodCount:
    """Customers who were last known at a period.

    `churned` made the renewals before that of `period`, 1 or more, and not that one. `censored`
    made that of `period` (0: none so far), and whether they make the next one is not known yet.
    """

    period: int
    churned: int
    censored: int


@dataclass(frozen=True)
class RiskTable:
    """By period from 1 on: how many came up to its renewal, as `churned` and `renewed`."""

    churned: Floats
    renewed: Floats

    @classmethod
    def of(cls, counts: Sequence[PeriodCount]) -> "RiskTable":
        """The table of such counts, in any order; ValueError where a count makes no sense."""
        for count in counts:
            if min(count.period, count.churned, count.censored) < 0:
                raise ValueError(f"a count below 0: {count}")
            if count.period == 0 and count.churned:
                raise ValueError("nobody can churn at a renewal 0: a period begins with 1")
        last = max((count.period for count in counts), default=0)
        churned = np.zeros(last + 1)
        censored = np.zeros(last + 1)
        for count in counts:
            churned[count.period] += count.churned
            censored[count.period] += count.censored
        gone = np.cumsum((churned + censored)[::-1])[::-1]
        known = gone[1:] > 0
        return cls(churned[1:][known], (gone - churned)[1:][known])

    @property
    def customers(self) -> int:
        """Those who came up to a first renewal."""
        return int(self.churned[0] + self.renewed[0]) if len(self.churned) else 0

    @property
    def total_churned(self) -> int:
        """Those who churned, in any period."""
        return int(self.churned.sum())

    @property
    def periods(self) -> int:
        """The last period to whose renewal anybody came up."""
        return len(self.churned)


@dataclass(frozen=True)
class SurvivalModel:
    """A survival curve over renewals; `shape` 1 is the shifted-beta-geometric.

    >>> model = SurvivalModel(alpha=1.0, beta=3.0)
    >>> [round(float(share), 4) for share in model.survival([0, 1, 2])]
    [1.0, 0.75, 0.6]
    """

    alpha: float
    beta: float
    shape: float = 1.0

    def log_survival(self, periods: npt.ArrayLike) -> Floats:
        """The logarithm of S(t) at each number of renewals t, 0 or more."""
        raised = np.power(np.asarray(periods, dtype=np.float64), self.shape)
        start = _log_gamma_ratio(np.asarray(self.beta), self.alpha)
        return start - _log_gamma_ratio(self.beta + raised, self.alpha)

    def survival(self, periods: npt.ArrayLike) -> Floats:
        """S(t) = B(α, β + t^c) ÷ B(α, β), the share that makes t renewals or more, at each t."""
        return np.exp(self.log_survival(periods))

    def log_likelihood(self, table: RiskTable) -> float:
        """Σ churned(t) · ln h(t) + Σ renewed(t) · ln(1 − h(t)), with h(t) = 1 − S(t) ÷ S(t − 1).

        The same as Σ churned(t) · ln(S(t − 1) − S(t)) + Σ censored(t) · ln S(t).

        >>> table = RiskTable.of([PeriodCount(1, churned=1, censored=0), PeriodCount(2, 0, 3)])
        >>> found = SurvivalModel(alpha=1.0, beta=3.0).log_likelihood(table)
        >>> math.isclose(found, math.log(0.25) + 3 * math.log(0.6))
        True
        """
        value, _ = _log_likelihood(np.log([self.alpha, self.beta, self.shape]), table)
        return value

    def expected_lifetime(self, *, discount_rate: float) -> float:
        """DEL, the discounted expected lifetime of a new customer, in periods, by summation.

        Σ S(t) ÷ (1 + d)^t from t = 0, d being the `discount_rate` per period: what payments of 1,
        at the start and at every renewal made, are worth at the start (Fader and Hardie 2010,
        Customer-Base Valuation in a Contractual Setting, Marketing Science 29). Raises ValueError
        for a d below 0.0001: without a discount the sum need not be finite.

        >>> model = SurvivalModel(alpha=0.7637, beta=1.2958)
        >>> round(model.expected_lifetime(discount_rate=0.1), 3)
        3.621
        """
        return self._summed(0, 0, discount_rate)

    def expected_residual_lifetime(self, renewal: int, *, discount_rate: float) -> float:
        """DERL, in periods: what payments from a renewal on are worth just before it.

        Of a customer who made the n − 1 renewals before that one, Σ S(t) ÷ S(n − 1) ÷
        (1 + d)^(t − n) from t = n on (Fader and Hardie 2010), n being 1 or more and d, 0.0001 or
        more, the `discount_rate` per period. Raises ValueError where either is not.

        >>> model = SurvivalModel(alpha=0.7637, beta=1.2958)
        >>> round(100 * model.expected_residual_lifetime(5, discount_rate=0.1))
        568
        """
        if renewal < 1:
            raise ValueError("the first renewal has number 1")
        return self._summed(renewal, renewal - 1, discount_rate)

    def _summed(self, first: int, known: int, discount_rate: float) -> float:
        if not discount_rate >= SMALLEST_DISCOUNT_RATE:
            raise ValueError(
                f"a discount rate per period is {SMALLEST_DISCOUNT_RATE} or above: the sum may be"
                " infinite without one"
            )
        log_discount = math.log1p(discount_rate)
        known_log_survival = float(self.log_survival(known))
        terms: list[float] = []
        while True:
            done = len(terms)
            ahead = np.arange(done, done + SUMMED_AT_ONCE)
            log_shares = self.log_survival(first + ahead) - known_log_survival
            terms.extend(np.exp(log_shares - ahead * log_discount).tolist())
            # survival never rises, so a geometric series bounds what is left out
            if terms[-1] / discount_rate < LEFT_OUT_PERIODS:
                return math.fsum(terms)


def closed_form_residual_lifetime(
    model: SurvivalModel, renewal: int, *, discount_rate: float
) -> float:
    """DERL of a shifted-beta-geometric in closed form, in periods; renewal 0 gives DEL.

    (β + n − 1) ÷ (α + β + n − 1) · 2F1(1, β + n; α + β + n; 1 ÷ (1 + d)), and for DEL
    2F1(1, β; α + β; 1 ÷ (1 + d)) (Fader and Hardie 2010). The sum that `SurvivalModel` gives is the
    same and holds for any shape; this one checks it. Raises ValueError where the shape is not 1,
    OverflowError where SciPy's function does, as from α = 66, β + n = 65 on.

    >>> model = SurvivalModel(alpha=0.7637, beta=1.2958)
    >>> round(closed_form_residual_lifetime(model, 0, discount_rate=0.1), 3)
    3.621
    """
    if model.shape != 1:
        raise ValueError("only shape 1 has a closed form")
    alpha, beta = model.alpha, model.beta
    series = float(hyp2f1(1, beta + renewal, alpha + beta + renewal, 1 / (1 + discount_rate)))
    if not np.isfinite(series):
        raise OverflowError("the hypergeometric function is out of range: take the sum")
    if renewal == 0:
        return series
    return (beta + renewal - 1) / (alpha + beta + renewal - 1) * series


@dataclass(frozen=True)
class FittedModel:
    """A model at its greatest likelihood, with the covariance of its parameters' logarithms."""

    name: ModelName
    model: SurvivalModel
    log_likelihood: float
    log_covariance: Floats = field(compare=False)

    def standard_error(self, figure: Callable[[SurvivalModel], float]) -> float:
        """The standard error of a figure of the model, such as S(12), by the delta method."""
        size = len(self.log_covariance)
        parameters = [self.model.alpha, self.model.beta, self.model.shape]
        step = 1e-5
        gradient = np.zeros(size)
        for index in range(size):
            around = []
            for sign in (1, -1):
                moved = list(parameters)
                moved[index] *= math.exp(sign * step)
                around.append(figure(SurvivalModel(*moved)))
            gradient[index] = (around[0] - around[1]) / (2 * step)
        return math.sqrt(max(0.0, float(gradient @ self.log_covariance @ gradient)))


@dataclass(frozen=True)
class SurvivalFit:
    """What counts say: both models, the test between them, and the one that it keeps.

    A model is None where the counts can't tell its parameters; `chosen` is then None too if neither
    can be told, and `reason` says why. `p_value` is None where only one could be fitted.
    """

    customers: int
    churned: int
    periods: int
    shifted_beta_geometric: FittedModel | None
    beta_discrete_weibull: FittedModel | None
    statistic: float | None
    p_value: float | None
    chosen: FittedModel | None
    reason: str | None


def fit_survival(
    counts: Sequence[PeriodCount], *, significance_level: float = SIGNIFICANCE_LEVEL
) -> SurvivalFit:
    """Both models fitted to counts by maximum likelihood, and the one that a test keeps.

    The shifted-beta-geometric is kept unless the likelihood-ratio test, 2 (LL − LL₀) against a
    chi-squared of one degree of freedom, rejects shape 1 at `significance_level`. Nothing is fitted
    where nobody churned, nobody renewed, or only one renewal was ever due: any pair of parameters
    with the right mean would do. The shape needs three.

    >>> survivors = [1000, 631, 468, 382, 326]
    >>> fit = fit_survival(counts_of_survivors(survivors))
    >>> fit.chosen.name, round(fit.chosen.log_likelihood, 3), round(fit.p_value, 2)
    ('shifted_beta_geometric', -1401.559, 0.55)
    """
    table = RiskTable.of(counts)
    reason = _nothing_to_fit(table)
    simple = general = statistic = p_value = None
    if reason is None:
        rate = table.total_churned / float((table.churned + table.renewed).sum())
        # the ridge towards one probability for all is too flat to be climbed from afar
        alike = (rate * NARROW, (1 - rate) * NARROW)
        starts = [(*start, 1.0) for start in (alike, *STARTS)]
        simple = _fit(SHIFTED_BETA_GEOMETRIC, table, starts=starts)
    if simple and table.periods > 2:
        nested = (simple.model.alpha, simple.model.beta)
        starts = [(*start, shape) for start in (nested, STARTS[1]) for shape in SHAPE_STARTS]
        general = _fit(BETA_DISCRETE_WEIBULL, table, starts=starts)
        statistic = max(0.0, 2 * (general.log_likelihood - simple.log_likelihood))
        p_value = float(chdtrc(1, statistic))
    is_rejected = p_value is not None and p_value < significance_level
    return SurvivalFit(
        customers=table.customers,
        churned=table.total_churned,
        periods=table.periods,
        shifted_beta_geometric=simple,
        beta_discrete_weibull=general,
        statistic=statistic,
        p_value=p_value,
        chosen=general if is_rejected else simple,
        reason=reason,
    )


def counts_of_survivors(survivors: Sequence[int]) -> list[PeriodCount]:
    """The counts of one cohort of which so many are left after 0, 1, 2 … renewals.

    Raises ValueError where survivors are below 0 or come back.

    >>> counts_of_survivors([10, 6, 5])[1]
    PeriodCount(period=2, churned=1, censored=5)
    """
    counts = []
    last = len(survivors) - 1
    for period in range(1, len(survivors)):
        before, after = survivors[period - 1], survivors[period]
        if not 0 <= after <= before:
            raise ValueError(
                f"{after} survivors in period {period} after {before} in the period before:"
                " nobody who left comes back, and nobody is less than 0"
            )
        counts.append(PeriodCount(period, before - after, after if period == last else 0))
    return counts


def _nothing_to_fit(table: RiskTable) -> str | None:
    if not table.customers:
        return "nobody has come up to a first renewal yet"
    if not table.total_churned:
        return "nobody has churned"
    if not table.renewed.any():
        return "nobody has renewed"
    if table.periods == 1:
        return "only one renewal was ever due"
    return None


def _fit(
    name: ModelName, table: RiskTable, *, starts: Sequence[tuple[float, float, float]]
) -> FittedModel:
    free = 2 if name == SHIFTED_BETA_GEOMETRIC else 3
    size = float((table.churned + table.renewed).sum())

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = _log_likelihood(np.append(logs, 0.0)[:3], table)
        return -value / size, -gradient[:free] / size

    # of SciPy's methods with bounds and gradients the one that calls no threaded linear algebra,
    # which for three numbers takes a hundred times as long as the sums
    found = [
        minimize(
            loss,
            np.log(start[:free]),
            jac=True,
            method="TNC",
            bounds=LOG_BOUNDS[:free],
            options={"ftol": PRECISION, "gtol": math.sqrt(PRECISION), "maxfun": 500},
        )
        for start in starts
    ]
    best = _at_the_top(min(found, key=lambda each: float(each.fun)).x, loss)
    logs = np.append(best, 0.0)[:3]
    alpha, beta, shape = (float(value) for value in np.exp(logs))
    value, _ = _log_likelihood(logs, table)
    return FittedModel(
        name=name,
        model=SurvivalModel(alpha, beta, shape),
        log_likelihood=value,
        log_covariance=_inverse_hessian(loss, best) / size,
    )


def _at_the_top(near: Floats, loss: Loss) -> Floats:
    """The lowest point of the loss by Newton's method; `near` where it leads out of the bounds."""
    lower, upper = np.array(LOG_BOUNDS[: len(near)]).T
    point = near
    for _ in range(NEWTON_STEPS):
        before, gradient = loss(point)
        ahead = point - _inverse_hessian(loss, point) @ gradient
        if np.any((ahead < lower) | (ahead > upper)) or loss(ahead)[0] > before:
            break
        point = ahead
    return point


def _inverse_hessian(loss: Loss, at: Floats) -> Floats:
    """The inverse of the loss's second derivatives; where it is flat, the pseudo-inverse."""
    step = 1e-4
    rows = []
    for index in range(len(at)):
        moved = np.zeros(len(at))
        moved[index] = step
        rows.append((loss(at + moved)[1] - loss(at - moved)[1]) / (2 * step))
    hessian = np.array(rows)
    return np.asarray(np.linalg.pinv((hessian + hessian.T) / 2, hermitian=True))


def _log_likelihood(logs: Floats, table: RiskTable) -> tuple[float, Floats]:
    """The log-likelihood at (ln α, ln β, ln c), and its gradient by these."""
    alpha, beta, shape = (float(value) for value in np.exp(logs))
    periods = np.arange(table.periods + 1, dtype=np.float64)
    raised = np.power(periods, shape)
    if shape == 1.0:
        log_renewal = np.log1p(-alpha / (alpha + beta + periods[:-1]))
    else:
        log_renewal = -np.diff(_log_gamma_ratio(beta + raised, alpha))
    # a probability to leave that is below the last digit is not 0: its logarithm must be finite
    leaving = np.maximum(-np.expm1(log_renewal), np.finfo(np.float64).tiny)
    value = float(table.churned @ np.log(leaving) + table.renewed @ log_renewal)
    weight = table.renewed - table.churned * (1 - leaving) / leaving
    with_alpha = digamma(alpha + beta + raised)
    without = digamma(beta + raised)
    log_periods = np.log(np.maximum(periods, 1.0))
    by_alpha = -np.diff(with_alpha)
    by_beta = np.diff(without - with_alpha)
    by_shape = np.diff((without - with_alpha) * raised * log_periods)
    return value, np.array(
        [alpha * (weight @ by_alpha), beta * (weight @ by_beta), shape * (weight @ by_shape)]
    )


def _log_gamma_ratio(start: Floats, rise: float) -> Floats:
    """The logarithm of Γ(start + rise) ÷ Γ(start), without losing digits where both are large.

    By Stirling's series ln Γ(z) = (z − ½) ln z − z + ½ ln 2π + 1 ÷ 12z − 1 ÷ 360z³ + …
    """
    large = np.maximum(start, LARGE)
    by_series = (
        (large - 0.5) * np.log1p(rise / large)
        + rise * (np.log(large + rise) - 1)
        + _stirling_rest(large + rise)
        - _stirling_rest(large)
    )
    small = np.minimum(start, LARGE)
    by_function = gammaln(small + rise) - gammaln(small)
    ratio: Floats = np.where(start >= LARGE, by_series, by_function)
    return ratio


def _stirling_rest(argument: Floats) -> Floats:
    inverse = 1 / argument
    square = inverse * inverse
    rest: Floats = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    return rest
