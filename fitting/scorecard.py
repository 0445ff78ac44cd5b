"""Whether a hazard model is any good, told on months that it has not seen.

The observation dates are cut, in their order, into train, gap, validation, gap and test. The date
of a gap is left out, since its horizon reaches into the next one. The penalty is chosen on the
validation date; what is tested has learned from all dates before the second gap.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from threadpoolctl import threadpool_limits

from fitting.hazard import (
    PENALTIES,
    STAYED,
    Floats,
    HazardModel,
    Observations,
    fit_hazard,
)

# a date each for validation, test and the two gaps, and one to learn from
SMALLEST_DATES = 5
# about five ends a feature to learn from, and so many to test on that a rate can be told
SMALLEST_ENDED_BEFORE = 100
SMALLEST_ENDED_IN_TEST = 20

# of fewer ends a bin, chance alone puts foretold and actual shares apart
CALIBRATION_BINS = 10
ENDED_A_BIN = 40
CONTACTED_SHARE = 0.1
# engines differ in the last digit of a logarithm: predictions that differ by no more are one, or
# their order, on which most measures stand, would be the engine's
TOLD_APART_DIGITS = 12

# beyond these a coefficient gets no better that anybody could tell, and the fit takes longer
LEARNED_OBSERVATIONS = 40_000
FITS_AT_A_TIME = 2

SHUFFLED_FITS = 5
SHUFFLED_TESTS = 20
SHUFFLED_OBSERVATIONS = 5_000
SEED = 20_260_101

# one line: who has asked to leave, has not paid, or has not watched for four weeks
RULE_FEATURES = ("is_cancel_requested", "is_past_due", "has_not_watched")

Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """The observations by the part of time that they are in; `before` are all before the test."""

    train: Observations
    validation: Observations
    before: Observations
    test: Observations


def fit_risk(observed: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Rows of `risk_fits` (one), `risk_coefficients` and `risk_scores`.

    The last two are empty, and the first gives a reason, where there is too little to learn from or
    to test on. `observed` is as in `Observations.of`, in an order that is the same every time.
    """
    observations = Observations.of(observed)
    dates = np.unique(observations.dates)
    reason = _reason(observations, dates)
    if reason:
        return _tables(observations, dates, reason, None, [], [])
    parts = _parts(observations, dates)
    # a fit has one thread: the same sums in the same order on every machine, and no waiting for
    # each other; fits of which none needs another are made at the same time
    with threadpool_limits(1), ThreadPoolExecutor(FITS_AT_A_TIME) as pool:
        penalty, of_validation = _chosen(parts, pool)
        learning = pool.submit(fit_hazard, _drawn(parts.before, LEARNED_OBSERVATIONS), penalty)
        fitting = pool.submit(fit_hazard, _drawn(observations, LEARNED_OBSERVATIONS), penalty)
        shuffled_auc = _shuffled_auc(parts, penalty)
        scores = [
            *_scores("validation", of_validation, parts.train, parts.validation, None),
            *_scores("test", learning.result(), parts.before, parts.test, shuffled_auc),
        ]
    return _tables(observations, dates, None, penalty, fitting.result().rows(), scores)


def _reason(observations: Observations, dates: npt.NDArray[np.datetime64]) -> str | None:
    if len(dates) < SMALLEST_DATES:
        return f"{len(dates)} months have an outcome, fewer than the {SMALLEST_DATES} to test on"
    parts = _parts(observations, dates)
    for part, name, smallest in (
        (parts.train, "learn from", SMALLEST_ENDED_BEFORE),
        (parts.test, "test on", SMALLEST_ENDED_IN_TEST),
    ):
        ended = int(part.has_ended.sum())
        if ended < smallest:
            return f"{ended} ended, fewer than the {smallest} to {name}"
        if ended == len(part):
            return f"none stayed, so there is nothing to {name}"
    return None


def _tables(
    observations: Observations,
    dates: npt.NDArray[np.datetime64],
    reason: str | None,
    penalty: float | None,
    coefficients: list[dict[str, Any]],
    scores: list[dict[str, Any]],
) -> dict[str, list[dict[str, Any]]]:
    fit = {
        "first_observation_date": dates[0].item() if len(dates) else None,
        "last_observation_date": dates[-1].item() if len(dates) else None,
        "observations": len(observations),
        "ended": int(observations.has_ended.sum()),
        "inverse_penalty": penalty,
        "reason": reason,
    }
    return {"risk_fits": [fit], "risk_coefficients": coefficients, "risk_scores": scores}


def _parts(observations: Observations, dates: npt.NDArray[np.datetime64]) -> Parts:
    return Parts(
        train=observations.where(observations.dates <= dates[-5]),
        validation=observations.where(observations.dates == dates[-3]),
        before=observations.where(observations.dates <= dates[-3]),
        test=observations.where(observations.dates == dates[-1]),
    )


def _chosen(parts: Parts, pool: Executor) -> tuple[float, HazardModel]:
    """The penalty whose model says best what became of the validation date, by log-loss."""
    sample = _drawn(parts.train, LEARNED_OBSERVATIONS)
    fitted = pool.map(lambda penalty: fit_hazard(sample, penalty), PENALTIES)
    models = dict(zip(PENALTIES, fitted, strict=True))
    losses = {
        penalty: _outcome_log_loss(model.probabilities(parts.validation), parts.validation)
        for penalty, model in models.items()
    }
    penalty = min(PENALTIES, key=lambda each: (losses[each], each))
    return penalty, models[penalty]


def _outcome_log_loss(probabilities: dict[str, Floats], observations: Observations) -> float:
    stayed = 1 - np.sum(list(probabilities.values()), axis=0)
    of_outcome = np.where(observations.outcomes == STAYED, stayed, 0.0)
    for end, shares in probabilities.items():
        of_outcome = np.where(observations.outcomes == end, shares, of_outcome)
    return float(-np.log(np.maximum(of_outcome, 1e-15)).mean())


def _scores(
    part: str,
    model: HazardModel,
    learned_from: Observations,
    observations: Observations,
    shuffled_auc: float | None,
) -> list[dict[str, Any]]:
    probabilities = model.probabilities(observations)
    rows = []
    for outcome in ("ended", *model.ends):
        labels = _labels(observations, outcome)
        learned = _labels(learned_from, outcome)
        predicted = (
            np.sum(list(probabilities.values()), axis=0)
            if outcome == "ended"
            else probabilities[outcome]
        )
        of_rule = _rule(learned_from, learned, observations)
        for predictor, shares in (("model", predicted), ("rule", of_rule)):
            rows.append(
                {
                    "part": part,
                    "outcome": outcome,
                    "predictor": predictor,
                    "first_learned_date": learned_from.dates.min().item(),
                    "last_learned_date": learned_from.dates.max().item(),
                    "observation_date": observations.dates.max().item(),
                    "observations": len(observations),
                    "ended": int(labels.sum()),
                    **measures(labels, shares, base_rate=float(learned.mean())),
                    "shuffled_auc": shuffled_auc
                    if predictor == "model" and outcome == "ended"
                    else None,
                }
            )
    return rows


def _labels(observations: Observations, outcome: str) -> Labels:
    return observations.has_ended if outcome == "ended" else observations.outcomes == outcome


def _rule(learned_from: Observations, labels: Labels, observations: Observations) -> Floats:
    """The share that ended of those whom the rule names, and of the others, as learned."""
    named = _named(learned_from)
    shares = [
        float(labels[group].mean()) if group.any() else float(labels.mean())
        for group in (~named, named)
    ]
    return np.where(_named(observations), shares[1], shares[0])


def _named(observations: Observations) -> Labels:
    flags = [observations.numbers[name] > 0 for name in RULE_FEATURES]
    named: Labels = np.logical_or.reduce(flags)
    return named


def measures(labels: Labels, predicted: Floats, *, base_rate: float) -> dict[str, float | None]:
    """How well probabilities foretell labels; those that need both labels are None without.

    `base_rate` is the share that ended where the prediction was learned, against whose log-loss
    that of the prediction is held.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    predicted = predicted.round(TOLD_APART_DIGITS)
    has_both = bool(labels.any() and not labels.all())
    ended = float(labels.sum())
    caught = _caught(labels, predicted)
    return {
        "auc": float(roc_auc_score(labels, predicted)) if has_both else None,
        "pr_auc": float(average_precision_score(labels, predicted)) if has_both else None,
        "log_loss": _log_loss(labels, predicted),
        "base_rate_log_loss": _log_loss(labels, np.full(len(labels), base_rate)),
        "brier_score": float(((predicted - labels) ** 2).mean()),
        "calibration_error": calibration_error(
            labels, predicted, bins=min(CALIBRATION_BINS, max(1, int(ended) // ENDED_A_BIN))
        ),
        "lift_at_10_percent": caught / ended / CONTACTED_SHARE if ended else None,
        "recall_at_10_percent": caught / ended if ended else None,
    }


def _log_loss(labels: Labels, predicted: Floats) -> float:
    inside = np.clip(predicted, 1e-15, 1 - 1e-15)
    return float(-np.where(labels, np.log(inside), np.log1p(-inside)).mean())


def calibration_error(labels: Labels, predicted: Floats, *, bins: int) -> float:
    """How far predicted and actual shares are apart, on average over the observations.

    They are compared in so many bins of equal size by predicted probability (expected calibration
    error; Naeini, Cooper and Hauskrecht 2015). Equal probabilities are in one bin.
    """
    edges = np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1])
    places = np.searchsorted(edges, predicted, side="right")
    differences = np.bincount(places, weights=predicted - labels.astype(float), minlength=bins)
    return float(np.abs(differences).sum() / len(labels))


def _caught(labels: Labels, predicted: Floats) -> float:
    """How many ended of the tenth with the highest probability.

    Of those with the probability at its edge it takes the average of all ways to choose.
    """
    wanted = CONTACTED_SHARE * len(labels)
    edge = np.sort(predicted)[::-1][int(np.ceil(wanted)) - 1]
    above, at_edge = predicted > edge, predicted == edge
    share = (wanted - above.sum()) / at_edge.sum()
    return float(labels[above].sum() + share * labels[at_edge].sum())


def _shuffled_auc(parts: Parts, penalty: float) -> float:
    """The AUC of models that learned from shuffled outcomes, on shuffled ones: 0.5, or a leak."""
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(SEED)
    sample = _drawn(parts.before, SHUFFLED_OBSERVATIONS)
    labels = parts.test.has_ended
    areas: list[float] = []
    for _ in range(SHUFFLED_FITS):
        shuffled = sample.with_outcomes(generator.permutation(sample.outcomes))
        if not _can_fit(shuffled.outcomes.tolist()):
            continue
        probabilities = fit_hazard(shuffled, penalty).probabilities(parts.test)
        predicted = np.sum(list(probabilities.values()), axis=0)
        areas.extend(
            float(roc_auc_score(generator.permutation(labels), predicted.round(TOLD_APART_DIGITS)))
            for _ in range(SHUFFLED_TESTS)
        )
    return float(np.mean(areas)) if areas else 0.5


def _drawn(observations: Observations, wanted: int) -> Observations:
    """So many at random, the same ones of the same observations; all where there are no more."""
    if len(observations) <= wanted:
        return observations
    drawn = np.random.default_rng(SEED).choice(len(observations), wanted, replace=False)
    return observations.where(np.sort(drawn))


def _can_fit(outcomes: Sequence[str]) -> bool:
    found = set(outcomes)
    return STAYED in found and len(found) > 1
