"""`tenure fit-survival`: a table of counts in, what is fitted to it out."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fitting.survival import (
    SIGNIFICANCE_LEVEL,
    SMALLEST_DISCOUNT_RATE,
    FittedModel,
    SurvivalFit,
    counts_of_survivors,
    fit_survival,
)
from orchestration.errors import Fault, InputError

COLUMNS = ("period", "survivors")
ADVICE = (
    "Write a CSV file with the header period,survivors: period 0 with the size of the cohort, then"
    " one row for each period with how many are left"
)

# beyond this, a service's counts are more likely a column that was mistaken for another
MOST_SURVIVORS = 10**12


def print_fit(
    console: Console, path: Path, *, as_json: bool, periods: int, discount_rate: float
) -> None:
    """Prints parameters, log-likelihoods, the test, `periods` of survival and the lifetime.

    `discount_rate` is per period. Raises InputError where the file or the rate is wrong.
    """
    if not (math.isfinite(discount_rate) and discount_rate >= SMALLEST_DISCOUNT_RATE):
        advice = f"Write a rate per period of {SMALLEST_DISCOUNT_RATE} or more, such as 0.1"
        raise InputError((Fault(f"--discount-rate is {discount_rate}", advice),))
    survivors = read_survivors(path)
    fit = fit_survival(counts_of_survivors(survivors))
    found = describe(fit, periods=periods, discount_rate=discount_rate)
    if as_json:
        console.print(json.dumps(found, indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        _print_tables(console, fit, found)


def read_survivors(path: Path) -> tuple[int, ...]:
    """The survivors by period, from 0 on, of a CSV file; raises InputError where it is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except OSError as error:
        raise _fault(path, f"can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _fault(path, f"is no CSV text: {error}") from error
    header = tuple(name.strip() for name in lines[0]) if lines else ()
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise _fault(path, f"lacks {', '.join(missing)}; it has {', '.join(header) or 'nothing'}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(header):
            raise _fault(path, f"has {len(line)} values in line {number}, not {len(header)}")
        cells = dict(zip(header, line, strict=True))
        rows.append(tuple(_count(path, number, name, cells[name]) for name in COLUMNS))
    return _survivors(path, sorted(rows))


def _count(path: Path, number: int, column: str, text: str) -> int:
    try:
        count = int(text.strip())
    except ValueError as error:
        raise _fault(
            path, f"line {number} has {text.strip()!r}, no whole number", column
        ) from error
    if not 0 <= count <= MOST_SURVIVORS:
        raise _fault(path, f"line {number} has {count}, which is no count", column)
    return count


def _survivors(path: Path, rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    periods = [period for period, _ in rows]
    if periods != list(range(len(periods))):
        told = f"its periods are {', '.join(map(str, periods[:12]))}, not 0, 1, 2 and so on"
        raise _fault(path, told, "period")
    if len(rows) < 2:
        raise _fault(path, "it has no period after 0, so nobody could leave", "period")
    survivors = tuple(left for _, left in rows)
    try:
        counts_of_survivors(survivors)
    except ValueError as error:
        raise _fault(path, str(error), "survivors") from error
    return survivors


def _fault(path: Path, what: str, column: str | None = None) -> InputError:
    return InputError((Fault(what, ADVICE, file=path, column=column),))


def describe(fit: SurvivalFit, *, periods: int, discount_rate: float) -> dict[str, Any]:
    """The fit as what JSON can hold; figures that nothing was fitted for are None.

    `projected_survival` has S(0) to S(`periods`), `discounted_expected_lifetime` is in periods.
    """
    chosen = fit.chosen
    shares = chosen.model.survival(range(periods + 1)).tolist() if chosen else []
    return {
        "customers": fit.customers,
        "churned": fit.churned,
        "periods": fit.periods,
        "models": {
            "shifted_beta_geometric": _model(fit.shifted_beta_geometric),
            "beta_discrete_weibull": _model(fit.beta_discrete_weibull),
        },
        "likelihood_ratio_test": {
            "statistic": fit.statistic,
            "degrees_of_freedom": 1,
            "p_value": fit.p_value,
            "significance_level": SIGNIFICANCE_LEVEL,
        },
        "chosen_model": chosen.name if chosen else None,
        "reason": fit.reason,
        "projected_survival": [
            {"period": period, "survival": share} for period, share in enumerate(shares)
        ],
        "discount_rate": discount_rate,
        "discounted_expected_lifetime": chosen.model.expected_lifetime(discount_rate=discount_rate)
        if chosen
        else None,
    }


def _model(fitted: FittedModel | None) -> dict[str, float] | None:
    if fitted is None:
        return None
    return {
        "alpha": fitted.model.alpha,
        "beta": fitted.model.beta,
        "shape": fitted.model.shape,
        "log_likelihood": fitted.log_likelihood,
    }


def _print_tables(console: Console, fit: SurvivalFit, found: dict[str, Any]) -> None:
    console.print(f"{fit.customers:,} customers, {fit.churned:,} churned in {fit.periods} periods")
    if fit.chosen is None:
        console.print(f"Nothing can be fitted: {fit.reason}")
        return
    models = Table("model", "alpha", "beta", "shape", "log-likelihood", box=None)
    for name, model in found["models"].items():
        if model:
            models.add_row(name.replace("_", " "), *(f"{value:.4f}" for value in model.values()))
    console.print(models)
    if fit.p_value is not None:
        console.print(f"Likelihood-ratio test of shape 1: p = {fit.p_value:.4f}")
    console.print(f"Kept: {fit.chosen.name.replace('_', ' ')}")
    curve = Table("period", "survival", box=None)
    for point in found["projected_survival"]:
        curve.add_row(str(point["period"]), f"{point['survival']:.4f}")
    console.print(curve)
    console.print(
        f"Discounted expected lifetime: {found['discounted_expected_lifetime']:.4f} periods"
        f" at {found['discount_rate']:g} a period"
    )
