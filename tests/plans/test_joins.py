"""No model compares every row with every other, or a subscriber with every day to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulator.service import simulate
from tests.definitions.pipeline import lay_views
from tests.one_parse import invoke_dbt, what_failed
from tests.plans.joins import joins_of

PROJECT = Path(__file__).resolve().parents[2]

# what is meant to have a row for every later month, and why
ONE_BOUND = {
    "engagement_monthly": "a plan tier that had somebody has a row in every later month",
    "tickets_monthly": "a topic that had a ticket has a row in every later month",
    "int_segmentation__subscriber_months": "everybody is in a segment in every month since sign-up",
    "int_subscribers__loyalty": "everybody is held against the three or four tiers of leavers",
    "int_subscribers__status_months": "fct_subscriber_months goes on from the first lifetime",
    "int_subscriptions__movements_monthly": (
        "a plan tier, country and channel that had somebody has a row in every later month"
    ),
    "retention_cohorts": "a cohort has a row in every month since its start",
    "retention_cohorts_by_stratum": "a cohort has a row in every month since its start",
    "win_back_monthly": "the leavers of a month have a row in every later month",
}


@dataclass(frozen=True)
class Built:
    """A built service: its database, and dbt's models as compiled, each after those it reads."""

    database: Path
    models: Sequence[Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A dirty service, so that no table is empty, with all of its models."""
    folder = tmp_path_factory.mktemp("plans")
    simulate(subscribers=2000, months=12, seed=7, plays_per_month=2, out=folder / "raw", dirt=True)
    lay_views(folder / "raw", folder / "warehouse")
    arguments = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    result = invoke_dbt(["build", *arguments], folder / "warehouse", target=folder / "target")
    assert result.success, what_failed(result)
    done: Any = result.result
    models = [each.node for each in done.results if each.node.resource_type == "model"]
    return Built(folder / "warehouse" / "build.duckdb", models)


@pytest.fixture
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Subscribers with a start and an end, the days of a calendar, and a clock of one row."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table subscribers as
            select range as id, range % 7 as started, range % 7 + 3 as ended from range(100);
            create table days as select range as day from range(20);
            create table clock as select 5 as as_of;
            """
        )
        yield connection


def test_models_join_within_bounds(built: Built) -> None:
    pairwise: list[str] = []
    one_bound: dict[str, list[str]] = {}
    with duckdb.connect(built.database) as connection:
        connection.execute("attach ':memory:' as forgotten")
        for model in built.models:
            name, query = model.name, model.compiled_code
            for join in joins_of(connection, query):
                if join.is_pairwise:
                    pairwise.append(f"{name}: {join}")
                if join.has_one_bound:
                    one_bound.setdefault(name, []).append(str(join))
            # what a build makes in memory alone is needed to ask for the plans of its readers
            connection.execute(f"create schema if not exists {model.database}.{model.schema}")
            connection.execute(f"create table if not exists {model.relation_name} as {query}")
    assert pairwise == []
    assert set(one_bound) == set(ONE_BOUND), one_bound


def test_every_raw_table_takes_part(built: Built) -> None:
    with duckdb.connect(built.database, read_only=True) as connection:
        empty = connection.execute(
            "select table_name from quality.row_reconciliation where accepted_rows < 2"
        ).fetchall()
    assert empty == []


@pytest.mark.parametrize(
    "query",
    [
        "from subscribers join days on started <= day and ended > day",
        "from subscribers left join days on day between started and ended",
        "from subscribers join days on id = day",
        "from subscribers cross join clock",
        "from subscribers join clock on started < as_of",
        "from subscribers cross join (values (1), (2), (3)) as figures (figure)",
    ],
)
def test_a_join_within_bounds_is_told_as_such(
    scratch: duckdb.DuckDBPyConnection, query: str
) -> None:
    found = joins_of(scratch, query)
    assert [str(join) for join in found if join.is_pairwise or join.has_one_bound] == []


@pytest.mark.parametrize(
    "query",
    [
        "from subscribers cross join days",
        "from subscribers join days on day + started = ended",
        "from subscribers left join days on id = day and (started <= day or day is null)",
    ],
)
def test_a_pairwise_join_is_told_as_such(scratch: duckdb.DuckDBPyConnection, query: str) -> None:
    assert [join.is_pairwise for join in joins_of(scratch, query)] == [True]


@pytest.mark.parametrize(
    "query",
    [
        "from subscribers join days on started <= day",
        "from subscribers join days on started <= day and (ended > day or ended is null)",
    ],
)
def test_a_join_with_one_bound_is_told_as_such(
    scratch: duckdb.DuckDBPyConnection, query: str
) -> None:
    assert [join.has_one_bound for join in joins_of(scratch, query)] == [True]
