"""The share of declined renewals that were collected after all: what was planted comes back."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulator import simulate
from tests.definitions.reference import Settings
from tests.selected_models import build_selected

END = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The built models of a simulated service, and its truth."""
    folder = tmp_path_factory.mktemp("dunning")
    simulate(
        subscribers=3000,
        months=24,
        seed=5,
        out=folder / "raw",
        plays_per_month=0.0,
        dirt=False,
        end=END,
    )
    build = build_selected(folder / "raw", folder, Settings(as_of=END), "dunning_monthly")
    return build, json.loads((folder / "raw" / "truth.json").read_text())


def _row(build: Path, query: str) -> tuple[Any, ...]:
    with duckdb.connect(build, read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


def test_the_planted_share_is_recovered_within_three_standard_errors(
    service: tuple[Path, dict[str, Any]],
) -> None:
    build, truth = service
    planted = truth["rates"]["recovered_share"]
    recovered, failed = _row(
        build,
        "select sum(recovered_invoices), sum(failed_invoices) from marts.dunning_monthly"
        " where was_past_due and recovery_rate is not null",
    )
    assert failed > 500
    error = math.sqrt(planted * (1 - planted) / failed)
    assert abs(recovered / failed - planted) < 3 * error


def test_every_declined_renewal_whose_grace_is_over_is_counted_once(
    service: tuple[Path, dict[str, Any]],
) -> None:
    build, truth = service
    settled = _row(
        build,
        "select count(*), count(*) filter (where outcome = 'recovered')"
        " from intermediate.int_revenue__failed_invoices"
        " where was_past_due and first_failed_at < timestamp '2026-01-01' - interval 28 day",
    )
    counts = truth["counts"]
    assert settled == (
        counts["declined_renewals_settled"],
        counts["declined_renewals_recovered"],
    )


def test_what_is_declined_at_a_checkout_is_paid_minutes_later(
    service: tuple[Path, dict[str, Any]],
) -> None:
    build, _ = service
    failed, recovered, days = _row(
        build,
        "select sum(failed_invoices), sum(recovered_invoices), max(average_days_to_recover)"
        " from marts.dunning_monthly where not was_past_due",
    )
    assert failed == recovered > 0
    assert days == pytest.approx(3 / (24 * 60))
