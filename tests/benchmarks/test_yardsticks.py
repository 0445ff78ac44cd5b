"""The other ways to the movements agree with ours where they mean the same, and why they don't."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from benchmarks.processes import Usage
from benchmarks.report import Measured, summarise
from benchmarks.yardsticks.differences import (
    CAUSES,
    SAME,
    UNEXPLAINED,
    Comparison,
    Difference,
    compare,
)
from benchmarks.yardsticks.measurement import NAMES, sections
from benchmarks.yardsticks.ways import MOVEMENTS, Way, lineage, main
from orchestration.database.warehouse import Warehouse
from orchestration.transform.project import ParsedProject
from simulator import simulate
from tests.built_service import build_service
from tests.definitions.pipeline import write_raw
from tests.definitions.stories import change, subscription_story, told

EURO_RATES = [
    (f"2025-{month:02}-01", "1.20" if month >= 6 else "1.10")  # dearer from June on
    for month in range(1, 10)
]

# who, when, and what the subscription is from then on
STORIES: list[tuple[str, str, dict[str, object]]] = [
    # up, down, out and back, each in a month of its own
    ("anna", "2025-01-15", {"amount_minor": 1000}),
    ("anna", "2025-03-10", {"amount_minor": 1500}),
    ("anna", "2025-05-20", {"amount_minor": 1200}),
    ("anna", "2025-07-05", {"status": "ended"}),
    ("anna", "2025-09-08", {"amount_minor": 1200}),
    # a year for 120
    ("bert", "2025-02-28", {"amount_minor": 12000, "billing_period_unit": "year"}),
    # two subscriptions, of which one ends
    ("cleo", "2025-04-04", {"subscription_id": "cleo 1", "amount_minor": 1000}),
    ("cleo", "2025-04-04", {"subscription_id": "cleo 2", "amount_minor": 500}),
    ("cleo", "2025-06-06", {"subscription_id": "cleo 2", "status": "ended"}),
    # a pause and its end, and a pause that ends in leaving
    ("paul", "2025-01-10", {}),
    ("paul", "2025-03-15", {"status": "paused"}),
    ("paul", "2025-05-15", {}),
    ("paul", "2025-06-20", {"status": "paused"}),
    ("paul", "2025-08-10", {"status": "ended"}),
    # 28 days from 20 March are over on 17 April
    ("una", "2025-01-10", {}),
    ("una", "2025-03-20", {"status": "past_due"}),
    ("una", "2025-05-05", {"status": "ended", "end_reason": "payment_failed"}),
    # ten hours without a subscription, over the end of March
    ("brit", "2025-01-10", {"subscription_id": "brit 1"}),
    ("brit", "2025-03-31 20:00", {"subscription_id": "brit 1", "status": "ended"}),
    ("brit", "2025-04-01 06:00", {"subscription_id": "brit 2"}),
    # an hour before the newest record, so that it may not be the end
    ("lena", "2025-08-02", {}),
    ("lena", "2025-09-07 23:00", {"status": "ended"}),
    # in euros, which are worth more from June on
    ("fritz", "2025-01-10", {"currency": "EUR"}),
    # two steps in the first month
    ("wim", "2025-02-03", {}),
    ("wim", "2025-02-20", {"amount_minor": 1500}),
    # a lifetime within March, and another from June on
    ("zoe", "2025-03-03", {}),
    ("zoe", "2025-03-25", {"status": "ended"}),
    ("zoe", "2025-06-06", {}),
]

SPINE = [
    ("anna", "2025-01-01", "new", "10"),
    ("anna", "2025-03-01", "expansion", "5"),
    ("anna", "2025-05-01", "contraction", "-3"),
    ("anna", "2025-07-01", "churn", "-12"),
    ("anna", "2025-09-01", "reactivation", "12"),
    ("bert", "2025-02-01", "new", "10"),
    ("brit", "2025-01-01", "new", "10"),
    ("brit", "2025-03-01", "churn", "-10"),
    ("brit", "2025-04-01", "reactivation", "10"),
    ("cleo", "2025-04-01", "new", "15"),
    ("cleo", "2025-06-01", "contraction", "-5"),
    ("fritz", "2025-01-01", "new", "11"),
    ("fritz", "2025-06-01", "expansion", "1"),
    ("lena", "2025-08-01", "new", "10"),
    ("lena", "2025-09-01", "churn", "-10"),
    ("paul", "2025-01-01", "new", "10"),
    ("paul", "2025-03-01", "churn", "-10"),
    ("paul", "2025-05-01", "reactivation", "10"),
    ("paul", "2025-06-01", "churn", "-10"),
    ("una", "2025-01-01", "new", "10"),
    ("una", "2025-05-01", "churn", "-10"),
    ("wim", "2025-02-01", "new", "15"),
    ("zoe", "2025-06-01", "new", "10"),
]

# months, our movements, the spine's: counted off the stories
COUNTS = {
    # five of anna's, two of cleo's, and who is new: bert, paul, una, brit, lena, fritz
    "same": (13, 13, 13),
    # paul's pause, resume, pause, and a churn of nothing, which the spine has no row for
    "pause": (4, 4, 3),
    # una churns in April, and in May
    "unpaid": (2, 1, 1),
    # brit's March and April, lena's September
    "bridged": (3, 0, 3),
    "fx": (1, 1, 1),
    # wim's new and expansion, zoe's new and churn
    "within a month": (2, 4, 1),
    "never seen before": (1, 1, 1),
}

# what ours adds up to, and the spine
MONEY = {
    # anna 12, cleo 10, bert, paul, una, brit and lena 10 each, fritz 11
    "same": (83, 83),
    "pause": (-10, -10),
    "unpaid": (-10, -10),
    "bridged": (0, -10),
    "fx": (1, 1),
    "within a month": (15, 15),
    "never seen before": (10, 10),
}


@pytest.fixture(scope="module")
def told_service(
    parsed_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """The stories above, built by dbt and then made all ways."""
    raw = tmp_path_factory.mktemp("told")
    changes = [
        change(when, **{"subscriber_id": who, "subscription_id": who, **given})
        for who, when, given in STORIES
    ]
    rates = [
        told("exchange_rates", rate_date=day, currency="EUR", rate=rate) for day, rate in EURO_RATES
    ]
    any_order = random.Random(1)  # noqa: S311 - no secret
    write_raw(subscription_story(*changes, exchange_rates=rates), raw, any_order)
    return made_all_ways(parsed_project, raw, Warehouse(tmp_path_factory.mktemp("told_built")))


@pytest.fixture(scope="module")
def simulated_service(
    parsed_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A simulated service that nobody watches, built by dbt and then made all ways."""
    raw = tmp_path_factory.mktemp("simulated")
    simulate(subscribers=1500, months=24, seed=5, out=raw, plays_per_month=0)
    return made_all_ways(parsed_project, raw, Warehouse(tmp_path_factory.mktemp("built")))


def made_all_ways(parsed: ParsedProject, raw: Path, place: Warehouse) -> Warehouse:
    build_service(parsed, raw, place, marts=[MOVEMENTS], fits=(), tests="none")
    # as a bare dbt leaves it, with the SQL that was run
    parsed.parsed.write(str(place.dbt_dir / "manifest.json"))  # type: ignore[no-untyped-call]
    built = rows_of(place, f"marts.{MOVEMENTS}")
    for way in Way:
        main(way, place.root)
    # what is measured of ours makes what dbt makes
    assert rows_of(place, f"marts.{MOVEMENTS}") == built
    assert rows_of(place, f"yardsticks.{Way.ALONE}") == built
    return place


def rows_of(place: Warehouse, relation: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        return connection.execute(f"select * from {relation} order by all").fetchall()


def test_the_spine_has_what_its_description_says(told_service: Warehouse) -> None:
    found = [
        (who, str(month), category, amount)
        for who, month, category, amount in rows_of(told_service, "yardsticks.spine")
    ]
    assert found == [(*words, Decimal(amount)) for *words, amount in SPINE]


def test_each_difference_has_its_cause(told_service: Warehouse) -> None:
    found = compare(told_service.build_file)
    by_cause = {
        one.cause: (one.subscriber_months, one.our_movements, one.spine_movements)
        for one in found.differences
    }
    assert by_cause == COUNTS
    money = {one.cause: (one.our_change, one.spine_change) for one in found.differences}
    assert money == {
        cause: (Decimal(ours), Decimal(spine)) for cause, (ours, spine) in MONEY.items()
    }
    assert found.pandas_differs == 0


def test_nothing_of_a_simulated_service_is_unexplained(simulated_service: Warehouse) -> None:
    found = compare(simulated_service.build_file)
    assert found.count(UNEXPLAINED) == 0
    assert found.count(SAME) > 1500
    assert found.pandas_differs == 0
    ours = rows_of(simulated_service, f"marts.{MOVEMENTS}")
    spine = rows_of(simulated_service, "yardsticks.spine")
    assert sum(one.our_movements for one in found.differences) == len(ours)
    assert sum(one.spine_movements for one in found.differences) == len(spine)
    assert {one.cause for one in found.differences} <= set(CAUSES)


def test_a_wrong_movement_is_unexplained_and_pandas_is_compared(
    told_service: Warehouse, tmp_path: Path
) -> None:
    spoilt = tmp_path / "build.duckdb"
    spoilt.write_bytes(told_service.build_file.read_bytes())
    with duckdb.connect(str(spoilt)) as connection:
        # bert's 10 become 9, for good
        connection.execute(
            "update intermediate.int_subscriptions__movements set mrr_change_amount = 9"
            " where subscriber_id = 'bert'"
        )
        connection.execute(
            "update yardsticks.pandas set mrr_change_amount = 9 where subscriber_id = 'bert'"
        )
    found = compare(spoilt)
    assert (found.count(UNEXPLAINED), found.count(SAME)) == (1, 12)
    assert found.pandas_differs == 1


def test_what_is_measured_of_ours_lies_between_changes_and_movements() -> None:
    def node(name: str, folder: str) -> dict[str, object]:
        return {
            "name": name,
            "fqn": ["tenure", "intermediate", folder, name],
            "relation_name": f"in.{name}",
            "config": {"materialized": "view" if name == "levels" else "table"},
            "compiled_code": f"select {name}",
        }

    names = {
        "stg_billing__subscription_changes": "billing",
        "levels": "subscriptions",
        "states": "subscriptions",
        "calendar": "calendar",
        "churns": "subscriptions",
        MOVEMENTS: "revenue",
    }
    edges = [
        ("stg_billing__subscription_changes", "states"),
        ("states", "levels"),
        ("states", "calendar"),
        ("calendar", "levels"),
        ("levels", MOVEMENTS),
        ("levels", "churns"),
    ]
    manifest = {
        "nodes": {f"model.{name}": node(name, folder) for name, folder in names.items()},
        "child_map": {
            f"model.{name}": [f"model.{after}" for before, after in edges if before == name]
            for name in names
        },
        "parent_map": {
            f"model.{name}": [f"model.{before}" for before, after in edges if after == name]
            for name in names
        },
    }
    # the calendar is there for others too, and churns are no movements
    assert lineage(manifest) == [
        ("states", "in.states", "table", "select states"),
        ("levels", "in.levels", "view", "select levels"),
        (MOVEMENTS, f"in.{MOVEMENTS}", "table", f"select {MOVEMENTS}"),
    ]


def test_the_tables_tell_ratios_times_and_causes() -> None:
    seconds = {Way.OURS: 3.0, Way.ALONE: 2.4, Way.SPINE: 12.0, Way.PANDAS: 6.0}
    summaries = {
        way: summarise(name, [Measured(name, Usage(seconds[way], seconds[way], 1_000_000, None))])
        for way, name in NAMES.items()
    }
    differences = (
        Difference("same", 7, 7, 7, Decimal(70), Decimal(70)),
        Difference("fx", 3, 4, 3, Decimal(-1), Decimal(-1)),
    )
    made = sections(500, summaries, {"states": 1.0, "levels": 3.0}, Comparison(differences, 0))
    text = "\n".join(section.markdown() for section in made)
    assert "MRR movements of 500 sign-ups" in text
    spine = f"{NAMES[Way.SPINE]}:"
    assert f"\nOur models ÷ {spine} 0.25 (CPU 0.25), aimed at ≤ 0.33." in text
    assert "a script with pandas: 0.50 (CPU 0.50)." in text
    assert f"the movements alone ÷ {spine} 0.20 (CPU 0.20), aimed at ≤ 0.33." in text
    assert "| levels | 3.0 | 75% |\n| states | 1.0 | 25% |" in text
    assert "| all | 10 | 11 | 10 | 69 | 69 |" in text
    assert f"*fx*: {CAUSES['fx']}." in text
    assert "has the movements of the spine, every one" in text
