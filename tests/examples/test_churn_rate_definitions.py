"""The churn rate of 'Fighting Churn with Data', on the tables that its own simulator wrote.

Two ways lead to the same figures: that project's published definition, written here over its own
source files, and the mart that has it beside the others. The source files are not in the
repository; without them these tests are skipped, and say so.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from examples.fight_churn.map_tables import map_tables
from tests.definitions.reference import Settings
from tests.selected_models import build_selected

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TENURE_SHARED") or PROJECT.parent / "shared")
SOURCE = SHARED / "data" / "fightchurn_socialnet7"

# the book project's figures, month: churned and of how many
PUBLISHED = {date(2020, 2, 1): (17, 399), date(2020, 4, 1): (9, 502), date(2020, 7, 1): (10, 725)}
# a first instant at which all of the source's renewals are known
LAST_INSTANT = date(2020, 12, 1)
AS_OF = datetime(2021, 1, 1, tzinfo=UTC)

THEIR_DEFINITION = """
    with
    first_instants as (
        select unnest(generate_series(date '2020-01-01', $last_instant, interval 1 month))
            as instant
    ),
    paying_accounts as (
        select distinct instant, account_id
        from first_instants
        inner join read_csv($subscriptions) on start_date <= instant and end_date > instant
    )
    select
        opening.instant::date,
        count(*) filter (where closing.account_id is null),
        count(*)
    from paying_accounts as opening
    left join paying_accounts as closing
        on
            opening.account_id = closing.account_id
            and opening.instant + interval 1 month = closing.instant
    group by opening.instant
    having opening.instant < $last_instant
"""

needs_source = pytest.mark.skipif(
    not SOURCE.is_dir(),
    reason=f"{SOURCE} is not there: name the folder above data/ in TENURE_SHARED",
)

Fractions = dict[date, tuple[int, int]]


@pytest.fixture(scope="module")
def fight_churn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fractions]:
    """Numerator and denominator by definition and month, from the example's raw tables."""
    folder = tmp_path_factory.mktemp("fight_churn")
    sql = PROJECT / "examples" / "fight_churn" / "sql"
    map_tables(source=SOURCE, sql=sql, out=folder / "raw")
    settings = Settings(as_of=AS_OF)
    build = build_selected(folder / "raw", folder, settings, "churn_rate_definitions")
    with duckdb.connect(build, read_only=True) as connection:
        rows = connection.execute(
            "select definition, month_start, numerator, denominator"
            " from marts.churn_rate_definitions"
        ).fetchall()
    found: dict[str, Fractions] = {}
    for definition, month_start, numerator, denominator in rows:
        found.setdefault(definition, {})[month_start] = (numerator, denominator)
    return found


def _on_the_source() -> Fractions:
    rows = duckdb.execute(
        THEIR_DEFINITION,
        {"last_instant": LAST_INSTANT, "subscriptions": str(SOURCE / "subscription.csv")},
    ).fetchall()
    return {month_start: (churned, opening) for month_start, churned, opening in rows}


@needs_source
def test_the_definition_gives_the_published_figures(fight_churn: dict[str, Fractions]) -> None:
    theirs = fight_churn["fight_churn"]
    assert {month: theirs[month] for month in PUBLISHED} == PUBLISHED


@needs_source
def test_the_definition_agrees_with_the_source_in_every_month(
    fight_churn: dict[str, Fractions],
) -> None:
    on_the_source = _on_the_source()
    assert {month: on_the_source[month] for month in PUBLISHED} == PUBLISHED
    # nobody had paid yet at the first instant of the first month
    theirs = {m: f for m, f in fight_churn["fight_churn"].items() if m < LAST_INSTANT and f[1]}
    assert theirs == on_the_source


@needs_source
def test_ours_differs_by_the_instant_alone(fight_churn: dict[str, Fractions]) -> None:
    assert fight_churn["tenure"][date(2020, 2, 1)] == (19, 400)
    # nobody of the source leaves and is back in the same month
    assert fight_churn["chartmogul"] == fight_churn["tenure"]
