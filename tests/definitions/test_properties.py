"""Random services through the pipeline, and every mart row for row as the reference has it.

`TENURE_PROPERTY_RUNS` says how many runs of dbt that is, `TENURE_PROPERTY_SERVICES` how many
services go through each, `TENURE_PROPERTY_SEED` where the seeds begin. A failure is told twice:
as it was found, and as the fewest rows that still do it.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .compare import Difference, differences
from .intake import Raw, forgotten_names
from .local_time import next_month
from .money import MissingRatesError
from .pipeline import (
    input_faults,
    lay_views,
    run_dbt,
    run_pipeline,
    texts_in,
    write_raw,
)
from .project_marts import build_all_marts
from .reference import BRIDGE_CATEGORIES, Marts, Reference, Settings, build_marts
from .shrink import culprits, shortest_story, told_shortly
from .stories import service
from .strategies import ZONES, Run, make_run, on_its_own_clock, runs, with_ties

RUNS = int(os.environ.get("TENURE_PROPERTY_RUNS", "6"))
SERVICES = int(os.environ.get("TENURE_PROPERTY_SERVICES", "40"))
FIRST_SEED = int(os.environ.get("TENURE_PROPERTY_SEED", "1"))
MAX_SHOWN = 10
SMALL_RUNS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

Compare = Callable[[Run], list[Difference]]
BuildMarts = Callable[[Raw, Settings], Marts]


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("target")


@pytest.fixture
def compare(tmp_path_factory: pytest.TempPathFactory, dbt_target: Path) -> Compare:
    def through_pipeline(run: Run, reference: BuildMarts = build_marts) -> list[Difference]:
        raw = run.raw
        folder = tmp_path_factory.mktemp("run")
        rng = random.Random(len(raw["subscription_changes"]))  # noqa: S311 - no secret
        expected = reference(raw, run.settings)
        got = run_pipeline(raw, run.settings, folder, rng, dbt_target, tuple(expected))
        return differences(expected, got, raw) + still_readable(run, folder / "warehouse")

    return through_pipeline


@pytest.fixture
def compare_all(compare: Callable[..., list[Difference]]) -> Compare:
    """With the marts that the project defines itself."""
    return lambda run: compare(run, build_all_marts)


def still_readable(run: Run, warehouse: Path) -> list[Difference]:
    """Return the erased people whose old id can be read in any text of the build."""
    reference = Reference(run.raw, run.settings)
    texts = texts_in(warehouse)
    return [
        Difference("every text", (name,), {"is_forgotten": True}, {"is_forgotten": False})
        for name in sorted(forgotten_names(run.raw, reference.intake, reference.calendar))
        if any(name in text for text in texts)
    ]


def assert_agreed(run: Run, found: Sequence[Difference], compare: Compare) -> None:
    """Fail with what differs, and with the shortest story that still does."""
    if not found:
        return
    lines = [f"{run.settings}", *map(str, found[:MAX_SHOWN])]
    named = culprits(run, found)
    if named:
        story, left = shortest_story(run, named[0], compare)
        lines += ["", f"The shortest story of {named[0]}:", told_shortly(story)]
        lines += ["which gives:", *map(str, left[:MAX_SHOWN])]
    pytest.fail("\n".join(lines), pytrace=False)


@pytest.mark.parametrize("number", range(RUNS))
def test_the_marts_are_those_of_the_reference(number: int, compare: Compare) -> None:
    run = make_run(FIRST_SEED + number // len(ZONES), ZONES[number % len(ZONES)], SERVICES)
    if number % 3 == 1:
        run = on_its_own_clock(run)
    assert_agreed(run, compare(run), compare)


@pytest.mark.parametrize("number", range(-(-RUNS // 3)))
def test_the_marts_of_the_project_are_those_of_its_definitions(
    number: int, compare_all: Compare
) -> None:
    # other zones than the first of those above, and the horizon now and then that of the rows
    run = make_run(FIRST_SEED + number, ZONES[-1 - number % len(ZONES)], SERVICES)
    if number % 2 == 1:
        run = on_its_own_clock(run)
    assert_agreed(run, compare_all(run), compare_all)


def test_which_of_two_equally_new_rows_wins_is_the_same_in_any_order(
    tmp_path: Path, dbt_target: Path
) -> None:
    run = with_ties(make_run(FIRST_SEED, "UTC", SERVICES), FIRST_SEED)
    # other files, and the rows in another order
    first, second = (
        run_pipeline(run.raw, run.settings, tmp_path / str(seed), random.Random(seed), dbt_target)  # noqa: S311
        for seed in (1, 2)
    )
    assert differences(first, second, run.raw) == []


def test_an_empty_service_has_empty_marts(compare: Compare) -> None:
    run = Run(settings=Settings(), shared=service([]), services={})
    assert compare(run) == []
    assert not any(
        rows for name, rows in build_marts(run.raw, run.settings).items() if "row_" not in name
    )


def test_a_month_without_a_rate_is_named_and_no_other(tmp_path: Path, dbt_target: Path) -> None:
    run = make_run(FIRST_SEED, "America/New_York", SERVICES)
    rng = random.Random(FIRST_SEED)  # noqa: S311 - no secret
    gone = {(rng.choice(["EUR", "JPY", "KWD", "USD"]), rng.randint(1, 12)) for _ in range(9)}
    raw = run.raw
    raw["exchange_rates"] = [
        row
        for row in raw["exchange_rates"]
        # the week up to the first of a month lies in the month before
        if row["rate_date"] is None
        or (row["currency"], (row["rate_date"] + timedelta(days=7)).month) not in gone
    ]
    with pytest.raises(MissingRatesError) as error:
        build_marts(raw, run.settings)
    write_raw(raw, tmp_path / "raw", rng)
    lay_views(tmp_path / "raw", tmp_path / "warehouse")
    run_dbt(tmp_path / "warehouse", run.settings, dbt_target)
    messages = input_faults(tmp_path / "warehouse", run.settings, dbt_target)
    named = {re.findall(r"([A-Z]{3}) on (\d{4}-\d{2}-\d{2})", message)[0] for message in messages}
    assert named == {(currency, str(day)) for currency, day in error.value.missing}


# what has to hold of the reference itself, whoever else agrees with it


@SMALL_RUNS
@given(run=runs())
def test_every_raw_row_ends_in_one_place(run: Run) -> None:
    for row in build_marts(run.raw, run.settings)["row_reconciliation"]:
        places = [count for name, count in row.items() if name not in ("table_name", "raw_rows")]
        assert sum(places) == row["raw_rows"] == len(run.raw[row["table_name"]])


@SMALL_RUNS
@given(run=runs())
def test_the_bridges_add_up_and_join(run: Run) -> None:
    marts = build_marts(run.raw, run.settings)
    closings = {}
    for row in marts["mrr_bridge_monthly"]:
        group = row["plan_tier"], row["country_code"], row["acquisition_channel"]
        closings[row["month_start"], group] = row["closing_mrr_amount"]
        terms = sum(row[f"{category}_mrr_amount"] for category in BRIDGE_CATEGORIES)
        assert row["opening_mrr_amount"] + terms == row["closing_mrr_amount"]
    for (month, group), closing in closings.items():
        following = [
            row["opening_mrr_amount"]
            for row in marts["mrr_bridge_monthly"]
            if row["month_start"] == next_month(month)
            and (row["plan_tier"], row["country_code"], row["acquisition_channel"]) == group
        ]
        assert following in ([], [closing])


@SMALL_RUNS
@given(run=runs())
def test_subscribers_come_and_go_and_add_up(run: Run) -> None:
    for row in build_marts(run.raw, run.settings)["churn_monthly"]:
        came = row["new_subscribers"] + row["reactivated_subscribers"] + row["transferred_in"]
        went = row["churned_subscribers"] + row["transferred_out"]
        assert row["opening_subscribers"] + came - went == row["closing_subscribers"]
        assert row["churned_subscribers"] == sum(
            row[f"{kind}_churned_subscribers"] for kind in ("voluntary", "involuntary", "other")
        )
        assert row["churned_from_opening"] <= row["opening_subscribers"]


@SMALL_RUNS
@given(run=runs(), seed=st.integers(0, 9))
def test_the_order_of_rows_changes_nothing(run: Run, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    shuffled = {table: rng.sample(rows, len(rows)) for table, rows in run.raw.items()}
    expected = build_marts(run.raw, run.settings)
    assert differences(expected, build_marts(shuffled, run.settings), run.raw) == []


@SMALL_RUNS
@given(run=runs())
def test_seconds_watched_are_neither_lost_nor_made(run: Run) -> None:
    reference = Reference(run.raw, run.settings)
    watched = sum(row["watched_seconds"] for row in reference.viewing_daily())
    sessions = reference.intake.accepted["playback_sessions"]
    assert watched == sum(session["watched_seconds"] for session in sessions)
