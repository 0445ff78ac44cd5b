"""The planted survival: shifted-beta-geometric draws, tilted by stratum, and their exact curves.

A subscriber's probability to leave at a renewal is drawn once a lifetime from Beta(alpha, beta),
so that the number of the renewal at which the lifetime ends is shifted-beta-geometric (Fader and
Hardie, "How to project customer retention", 2007): S(t) = B(alpha, beta + t) / B(alpha, beta).

A stratum leans to early or late churn by a tilt `a` in [-1, 1]: with probability |a| the larger
(a > 0) or the smaller (a < 0) of two such draws counts. Its curve is S(t) + a * D(t), with
D(t) = S_larger(t) - S(t). Where the tilts of a population average to zero, the population as a
whole follows S(t) exactly, whatever its strata.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma

import numpy as np

from simulator import world
from simulator.arrays import Ints, Reals

NEVER = 100_000
"""The renewal number that stands for a lifetime longer than any window."""


def lifetime_law(number: int) -> world.Lifetime:
    """Return the planted parameters of the lifetime of that number, 1 for the first."""
    return world.LIFETIMES[min(number, len(world.LIFETIMES)) - 1]


def survival(law: world.Lifetime, renewals: int) -> float:
    """Return the share of lifetimes that outlive so many renewals."""
    return exp(
        lgamma(law.beta + renewals)
        - lgamma(law.beta)
        + lgamma(law.alpha + law.beta)
        - lgamma(law.alpha + law.beta + renewals)
    )


@lru_cache(maxsize=16)
def survival_table(law: world.Lifetime, renewals: int) -> Reals:
    """Return the shares that outlive 0, 1, … `renewals` renewals."""
    return np.array([survival(law, t) for t in range(renewals + 1)])


@lru_cache(maxsize=8)
def _churn_grid(law: world.Lifetime) -> tuple[Reals, Reals]:
    """Return churn probabilities, and at each what the larger of two draws weighs more than one.

    The midpoints of a grid in x, p = x ** 4, which takes the edge off the density at 0.
    """
    points = 200_000
    x = (np.arange(points) + 0.5) / points
    p = x**4
    log_beta = lgamma(law.alpha) + lgamma(law.beta) - lgamma(law.alpha + law.beta)
    log_density = (law.alpha - 1) * np.log(p) + (law.beta - 1) * np.log1p(-p) - log_beta
    mass = np.exp(log_density) * 4 * x**3 / points
    below = np.cumsum(mass) - mass / 2
    return p, mass * (2 * below - 1)


@lru_cache(maxsize=2048)
def tilt_effect(law: world.Lifetime, renewals: int) -> float:
    """Return D(t): what a tilt of 1 adds to the share that outlives so many renewals."""
    churn, weight = _churn_grid(law)
    return float(np.sum((1 - churn) ** renewals * weight))


def tilted_survival(law: world.Lifetime, tilt: float, renewals: int) -> float:
    """Return the share of a stratum with that tilt that outlives so many renewals."""
    return survival(law, renewals) + tilt * tilt_effect(law, renewals)


def draw_renewals(rng: np.random.Generator, law: world.Lifetime, tilts: Reals) -> Ints:
    """Return for each tilt the number (from 1) of the renewal at which a lifetime ends."""
    size = len(tilts)
    first, second = rng.beta(law.alpha, law.beta, size), rng.beta(law.alpha, law.beta, size)
    is_tilted = rng.random(size) < np.abs(tilts)
    chosen = np.where(tilts > 0, np.maximum(first, second), np.minimum(first, second))
    churn = np.clip(np.where(is_tilted, chosen, first), 1e-12, 1.0)
    # the geometric by inversion: numpy's own loops over trials where the probability is high
    with np.errstate(divide="ignore"):
        waiting = np.floor(np.log1p(-rng.random(size)) / np.log1p(-churn))
    return np.asarray(np.minimum(waiting, NEVER - 1) + 1, dtype=np.int64)


def renewal_hazard(law: world.Lifetime, renewals: Ints, *, every: int) -> Reals:
    """Return the share of those still there that leaves at these renewals, `every` months apart.

    `every` is 1 for monthly renewals; for yearly ones, 12, and `renewals` are multiples of it.
    """
    if every == 1:
        return np.asarray(law.alpha / (law.alpha + law.beta + renewals - 1), dtype=np.float64)
    horizon = 1200
    table = survival_table(law, horizon)
    at = np.minimum(renewals, horizon)
    return np.asarray(1 - table[at] / table[at - every], dtype=np.float64)
