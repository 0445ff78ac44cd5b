"""Who ends within the next days, and why: a discrete-time hazard model of competing outcomes.

An observation is a subscriber who pays at an instant, with features known before it and what became
of it within a horizon: `stayed`, or one of several ways to end. Each way k has a linear predictor
η_k = intercept_k + Σ coefficient_k · feature, and

    P(k) = exp(η_k) ÷ (1 + Σ_j exp(η_j))

a multinomial logistic regression on observations pooled over time (Allison 1982, Discrete-Time
Methods for the Analysis of Event Histories, Sociological Methodology 13). Nothing is resampled or
weighted: rare ends stay as rare as they are, so the probabilities can be added up to head counts.

Belongs here: the model and its penalty. Does not: what a feature is, and whether the model is good
(`fitting.scorecard`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats: TypeAlias = npt.NDArray[np.float64]
Texts: TypeAlias = npt.NDArray[np.str_]
Places: TypeAlias = npt.NDArray[np.int64]
Selection: TypeAlias = npt.NDArray[Any]

STAYED = "stayed"

# what stands for the category of a number
NUMBER = "(number)"

# inverse strengths of the ridge penalty, from nearly nothing learned to nearly nothing held back
PENALTIES = (0.001, 0.03, 1.0)

# two runs on the same data agree to more places than these
DECIMALS = 10


@dataclass(frozen=True)
class Observations:
    """Observations: when, what became of them, and their features, all of one length.

    `numbers` are features by name; `texts` are features with a category each, as its place among
    the `categories` of that feature.
    """

    dates: npt.NDArray[np.datetime64]
    outcomes: Texts
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Places]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, table: pa.Table) -> "Observations":
        """Those of a table with `observation_date`, `outcome` and features, none of them null.

        A column of text is a category, every other one a number. Raises ValueError for a null.
        """
        incomplete = [name for name in table.column_names if table.column(name).null_count]
        if incomplete:
            raise ValueError(f"features without a value: {', '.join(incomplete)}")
        features = [
            name for name in table.column_names if name not in {"observation_date", "outcome"}
        ]
        texts = {
            name: np.unique(_numpy(table, name).astype(str), return_inverse=True)
            for name in features
            if pa.types.is_string(table.schema.field(name).type)
        }
        return cls(
            dates=_numpy(table, "observation_date").astype("datetime64[D]"),
            outcomes=_numpy(table, "outcome").astype(str),
            numbers={
                name: _numpy(table, name).astype(float) for name in features if name not in texts
            },
            texts={name: places for name, (_, places) in texts.items()},
            categories={name: tuple(found.tolist()) for name, (found, _) in texts.items()},
        )

    def __len__(self) -> int:
        return len(self.outcomes)

    def where(self, chosen: Selection) -> "Observations":
        """Those that a mask or an array of positions chooses."""
        return Observations(
            dates=self.dates[chosen],
            outcomes=self.outcomes[chosen],
            numbers={name: values[chosen] for name, values in self.numbers.items()},
            texts={name: places[chosen] for name, places in self.texts.items()},
            categories=self.categories,
        )

    def with_outcomes(self, outcomes: Texts) -> "Observations":
        """The same with other outcomes."""
        return replace(self, outcomes=outcomes)

    @property
    def has_ended(self) -> npt.NDArray[np.bool_]:
        """Whether each ended, in whatever way."""
        ended: npt.NDArray[np.bool_] = self.outcomes != STAYED
        return ended


def _numpy(table: pa.Table, name: str) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = table.column(name).to_numpy()
    return values


@dataclass(frozen=True)
class HazardModel:
    """The fitted model.

    `ends` are the ways to end that it knows; `columns` are its features: a name, and a category or
    None for a number. `coefficients` has a row a way to end and a column a feature, in units of the
    feature; `means` are those of the features where it was fitted, a category's its share.
    """

    ends: tuple[str, ...]
    columns: tuple[tuple[str, str | None], ...]
    intercepts: Floats
    coefficients: Floats
    means: Floats

    def probabilities(self, observations: Observations) -> dict[str, Floats]:
        """The probability of each way to end, by its name; a category never seen adds nothing."""
        predictors = _design(observations, self.columns) @ self.coefficients.T + self.intercepts
        odds = np.exp(np.minimum(predictors, 50.0))
        shares = odds / (1 + odds.sum(axis=1, keepdims=True))
        return {end: shares[:, index] for index, end in enumerate(self.ends)}

    @cached_property
    def mean_contributions(self) -> dict[tuple[str, str], float]:
        """By way to end and feature: what it adds to the predictor on average."""
        products = self.coefficients * self.means
        added: dict[tuple[str, str], float] = {}
        for row, end in enumerate(self.ends):
            for column, (feature, _) in enumerate(self.columns):
                key = (end, feature)
                added[key] = added.get(key, 0.0) + float(products[row, column])
        return added

    def rows(self) -> list[dict[str, Any]]:
        """The model as rows: one a way to end and feature, or category of one.

        The intercept is the feature `intercept`. `category` is `(number)` for a number, whose
        contribution is the coefficient times it, and otherwise the text that the coefficient is of.
        """
        rows = [
            _row(end, "intercept", None, float(self.intercepts[index]), 1.0, 0.0)
            for index, end in enumerate(self.ends)
        ]
        rows.extend(
            _row(
                end,
                feature,
                category,
                float(self.coefficients[index, column]),
                float(self.means[column]),
                self.mean_contributions[end, feature],
            )
            for index, end in enumerate(self.ends)
            for column, (feature, category) in enumerate(self.columns)
        )
        return rows


def _row(
    end: str,
    feature: str,
    category: str | None,
    coefficient: float,
    mean: float,
    mean_contribution: float,
) -> dict[str, Any]:
    return {
        "outcome": end,
        "feature": feature,
        "category": NUMBER if category is None else category,
        "coefficient": round(coefficient, DECIMALS),
        "mean_value": round(mean, DECIMALS),
        "mean_contribution": round(mean_contribution, DECIMALS),
    }


def fit_hazard(observations: Observations, penalty: float) -> HazardModel:
    """The model of observations of which some stayed and some ended; ValueError otherwise.

    `penalty` is the inverse strength of the ridge penalty on the coefficients of features in units
    of their standard deviation; the intercepts are free, so the mean probability of each way to end
    is the share that ended so.
    """
    # scikit-learn takes a second to load, which only a fit should cost
    from sklearn.linear_model import LogisticRegression

    ends = tuple(sorted(set(observations.outcomes.tolist()) - {STAYED}))
    if not ends or not (observations.outcomes == STAYED).any():
        raise ValueError("nothing to fit: all stayed, or all ended")
    columns = _columns(observations)
    design = _design(observations, columns)
    is_number = np.array([category is None for _, category in columns])
    means = design.mean(axis=0)
    deviations = design.std(axis=0)
    scales = np.where(is_number & (deviations > 0), deviations, 1.0)
    centres = np.where(is_number, means, 0.0)
    classes = np.searchsorted(np.array(ends), observations.outcomes) + 1
    classes[observations.outcomes == STAYED] = 0
    fitted = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-8, max_iter=200).fit(
        (design - centres) / scales, classes
    )
    # of more than two outcomes each has a predictor of its own, which only count as differences
    free = len(ends) > 1
    scaled = fitted.coef_[1:] - fitted.coef_[0] if free else fitted.coef_
    intercepts = fitted.intercept_[1:] - fitted.intercept_[0] if free else fitted.intercept_
    coefficients = scaled / scales
    return HazardModel(
        ends=ends,
        columns=columns,
        intercepts=intercepts - coefficients @ centres,
        coefficients=coefficients,
        means=means,
    )


def _columns(observations: Observations) -> tuple[tuple[str, str | None], ...]:
    numbers = [(name, None) for name in observations.numbers]
    categories = [
        (name, category)
        for name, categories in observations.categories.items()
        for category in categories
    ]
    return (*numbers, *categories)


def _design(observations: Observations, columns: Sequence[tuple[str, str | None]]) -> Floats:
    design = np.empty((len(observations), len(columns)))
    for index, (feature, category) in enumerate(columns):
        if category is None:
            design[:, index] = observations.numbers[feature]
        elif category in observations.categories[feature]:
            place = observations.categories[feature].index(category)
            design[:, index] = observations.texts[feature] == place
        else:
            design[:, index] = 0
    return design
