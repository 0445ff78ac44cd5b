"""The example of bringing one's own tables: its mapping, and the churn that comes out.

The tables themselves are not in the repository; what needs them is skipped, and says so, where
they are not beside it. The rest tells small tables of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from examples.fight_churn.map_tables import MappingError, map_tables
from examples.fight_churn.show_churn import churn_by_month
from orchestration.raw.contract import RawTable, read_raw_contract
from tests.definitions.pipeline import lay_views, run_dbt
from tests.definitions.reference import Settings

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT / "examples" / "fight_churn"
SHARED = Path(os.environ.get("TENURE_SHARED") or PROJECT.parent / "shared")
SOURCE = SHARED / "data" / "fightchurn_socialnet7"

AS_OF = datetime(2021, 1, 1, tzinfo=UTC)

CONTRACT = read_raw_contract(PROJECT / "models")
DUCKDB_TYPES = {"string": "VARCHAR", "bigint": "BIGINT", "timestamp": "TIMESTAMP"}
DUCKDB_TYPES |= {"boolean": "BOOLEAN", "date": "DATE"}

# month: opening and churned, the state taken just before a month's first instant
OUR_CHURN = {date(2020, 2, 1): (400, 19), date(2020, 4, 1): (501, 9), date(2020, 7, 1): (723, 9)}
# the state taken at a month's first instant, as fight-churn's own SQL does
THEIR_CHURN = {
    date(2020, 2, 1): (399, 17),
    date(2020, 4, 1): (502, 9),
    date(2020, 7, 1): (725, 10),
}

needs_source = pytest.mark.skipif(
    not SOURCE.is_dir(),
    reason=f"{SOURCE} is not there: name the folder above data/ in TENURE_SHARED",
)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fight_churn") / "raw"
    map_tables(source=SOURCE, sql=EXAMPLE / "sql", out=folder)
    return folder


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The whole example as a person runs it; its last argument is the folder that it filled."""
    folder = tmp_path_factory.mktemp("example")
    return subprocess.run(
        [EXAMPLE / "run", folder],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TENURE_SHARED": str(SHARED), "COLUMNS": "120"},
    )


def mapped(folder: Path, table: RawTable) -> str:
    return f"read_parquet('{folder / table.name / '*.parquet'}')"


@needs_source
@pytest.mark.parametrize(
    "table", [table for table in CONTRACT.tables if table.is_required], ids=lambda table: table.name
)
def test_a_mapped_table_has_the_columns_of_the_contract(raw: Path, table: RawTable) -> None:
    described = duckdb.sql(f"describe from {mapped(raw, table)}").fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [
        (column.name, DUCKDB_TYPES[column.data_type]) for column in table.columns
    ]


@needs_source
def test_the_mapping_gives_required_tables_only(raw: Path) -> None:
    assert {folder.name for folder in raw.iterdir()} == {
        table.name for table in CONTRACT.tables if table.is_required
    }


@needs_source
@pytest.mark.parametrize(
    "table", [table for table in CONTRACT.tables if table.is_required], ids=lambda table: table.name
)
def test_a_mapped_table_has_unique_keys_and_no_null_where_none_may_be(
    raw: Path, table: RawTable
) -> None:
    relation = mapped(raw, table)
    nulls = " or ".join(
        f"{column.name} is null" for column in table.columns if not column.is_nullable
    )
    key = ", ".join(table.key)
    assert duckdb.sql(f"from {relation} where {nulls}").fetchall() == []
    repeated = duckdb.sql(f"select {key} from {relation} group by all having count(*) > 1")
    assert repeated.fetchall() == []


@needs_source
def test_the_same_source_gives_the_same_files(raw: Path, tmp_path: Path) -> None:
    map_tables(source=SOURCE, sql=EXAMPLE / "sql", out=tmp_path)
    for file in sorted(raw.rglob("*.parquet")):
        assert (tmp_path / file.relative_to(raw)).read_bytes() == file.read_bytes(), file.name


@needs_source
def test_the_planted_truth_is_no_input() -> None:
    assert "satisfaction_propensity_truth" in (SOURCE / "account.csv").read_text().splitlines()[0]
    for file in sorted((EXAMPLE / "sql").glob("*.sql")):
        assert "satisfaction" not in file.read_text(), file.name


@needs_source
@pytest.mark.parametrize("month_start", THEIR_CHURN)
def test_their_definition_gives_their_figures_on_the_source(month_start: date) -> None:
    """The state at the first instant: a renewal that starts then counts, one that ends then not."""
    figures = duckdb.execute(
        """
        with
        renewals as (
            from read_csv($subscriptions)
        ),
        opening as (
            select distinct account_id
            from renewals
            where start_date <= $month_start and end_date > $month_start
        ),
        closing as (
            select distinct account_id
            from renewals
            where
                start_date <= $month_start + interval 1 month
                and end_date > $month_start + interval 1 month
        )
        select count(*), count(*) filter (where closing.account_id is null)
        from opening
        left join closing on opening.account_id = closing.account_id
        """,
        {"month_start": month_start, "subscriptions": str(SOURCE / "subscription.csv")},
    ).fetchone()
    assert figures == THEIR_CHURN[month_start]


@needs_source
def test_the_example_releases_and_shows_our_figures(
    example: subprocess.CompletedProcess[str],
) -> None:
    assert example.returncode == 0, example.stdout + example.stderr
    churn = {
        month.month_start: (month.opening_subscribers, month.churned_from_opening)
        for month in churn_by_month(Path(example.args[-1]) / "warehouse" / "tenure.duckdb")
    }
    assert len(churn) == 12
    assert {month: churn[month] for month in OUR_CHURN} == OUR_CHURN
    shown = [line.strip("│ ").split("│") for line in example.stdout.splitlines() if "2020" in line]
    cells = [[cell.strip() for cell in line] for line in shown]
    assert ["February 2020", "400", "19", "4.75%"] in cells


@needs_source
def test_no_row_of_the_example_is_quarantined_and_only_the_future_is_left_out(
    example: subprocess.CompletedProcess[str],
) -> None:
    release = Path(example.args[-1]) / "warehouse" / "tenure.duckdb"
    with duckdb.connect(release, read_only=True) as connection:
        rows = connection.execute(
            """
            select table_name, raw_rows, accepted_rows, quarantined_rows, beyond_as_of_rows
            from quality.row_reconciliation
            where raw_rows > 0
            order by table_name
            """
        ).fetchall()
    assert rows == [
        ("invoice_lines", 9976, 9942, 0, 34),
        ("invoices", 9976, 9942, 0, 34),
        ("plans", 1, 1, 0, 0),
        ("playback_sessions", 290854, 269742, 0, 21112),
        ("subscribers", 1624, 1624, 0, 0),
        ("subscription_changes", 10170, 10135, 0, 35),
    ]


@needs_source
def test_a_change_row_a_renewal_or_only_where_something_changes_is_the_same_lifetime(
    example: subprocess.CompletedProcess[str], raw: Path, tmp_path: Path
) -> None:
    changes = raw / "subscription_changes" / "subscription_changes.parquet"
    fewer = tmp_path / "raw"
    for folder in raw.iterdir():
        if folder.name != "subscription_changes":
            (fewer / folder.name).mkdir(parents=True)
            (fewer / folder.name / "part.parquet").symlink_to(next(folder.glob("*.parquet")))
    (fewer / "subscription_changes").mkdir()
    duckdb.read_parquet(str(changes)).query(
        "changes",
        """
        from changes
        qualify
            status = 'ended'
            or row_number() over (partition by subscription_id order by changed_at) = 1
        """,
    ).write_parquet(str(fewer / "subscription_changes" / "part.parquet"))
    lay_views(fewer, tmp_path / "warehouse")
    run_dbt(tmp_path / "warehouse", Settings(as_of=AS_OF), tmp_path / "target")
    # the build's own views know it by this name
    comparison = f"""
        attach '{Path(example.args[-1]) / "warehouse" / "tenure.duckdb"}' as released (read_only);
        attach '{tmp_path / "warehouse" / "build.duckdb"}' as build (read_only);
    """
    with duckdb.connect() as connection:
        connection.execute(comparison)
        lifetimes = connection.execute(
            "select count(*), max(lifetime_number) from released.marts.fct_subscriber_lifetimes"
        ).fetchone()
        assert lifetimes == (1624, 1)
        for mart in ("fct_subscriber_lifetimes", "fct_mrr_movements", "churn_monthly"):
            one, other = f"from released.marts.{mart}", f"from build.marts.{mart}"
            assert connection.execute(f"{one} except all {other}").fetchall() == [], mart
            assert connection.execute(f"{other} except all {one}").fetchall() == [], mart


@pytest.fixture
def small_source(tmp_path: Path) -> Path:
    """Account 1 leaves and returns, 2 is paid beyond what anybody has seen, 3 leaves on its eve."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "account.csv").write_text(
        "account_id,channel,date_of_birth,country,satisfaction_propensity_truth\n"
        "1,web,1980-02-03,DE,1.0\n2,web,1990-04-05,None,1.0\n3,web,1991-04-05,US,1.0\n"
    )
    (source / "subscription.csv").write_text(
        "account_id,product,start_date,end_date,mrr\n"
        "1,basic,2020-01-10,2020-02-10,9.99\n1,basic,2020-02-10,2020-03-10,9.99\n"
        "1,premium,2020-03-12,2020-04-12,12.50\n"
        "2,basic,2020-04-15,2020-05-15,9.99\n3,basic,2020-03-15,2020-04-15,9.99\n"
    )
    (source / "event_daily.csv").write_text(
        "account_id,event_date,post,newfriend,like,adview,dislike,unfriend,message,reply\n"
        "1,2020-01-11,1,0,0,0,0,0,0,0\n1,2020-03-12,0,0,0,2,0,0,0,0\n2,2020-04-15,0,0,0,0,0,0,0,0\n"
    )
    return source


def small_rows(source: Path, table: str, columns: str) -> list[tuple[object, ...]]:
    out = source.parent / "raw"
    map_tables(source=source, sql=EXAMPLE / "sql", out=out)
    relation = duckdb.read_parquet(str(out / table / "*.parquet"))
    return relation.project(columns).query("mapped", "from mapped order by all").fetchall()


def test_a_gap_ends_a_subscription_and_what_lies_ahead_does_not(small_source: Path) -> None:
    rows = small_rows(
        small_source,
        "subscription_changes",
        "subscription_id, changed_at::date::varchar, status, plan_id, amount_minor",
    )
    assert rows == [
        ("1-1", "2020-01-10", "active", "basic", 999),
        ("1-1", "2020-02-10", "active", "basic", 999),
        ("1-1", "2020-03-10", "ended", "basic", 999),
        ("1-2", "2020-03-12", "active", "premium", 1250),
        ("1-2", "2020-04-12", "ended", "premium", 1250),
        ("2-1", "2020-04-15", "active", "basic", 999),
        ("3-1", "2020-03-15", "active", "basic", 999),
        ("3-1", "2020-04-15", "ended", "basic", 999),
    ]


def test_an_unknown_country_is_null_and_an_account_begins_with_its_first_renewal(
    small_source: Path,
) -> None:
    columns = "subscriber_id, country_code, birth_year, signed_up_at::date::varchar"
    assert small_rows(small_source, "subscribers", columns) == [
        ("1", "DE", 1980, "2020-01-10"),
        ("2", None, 1990, "2020-04-15"),
        ("3", "US", 1991, "2020-03-15"),
    ]


def test_a_plan_shows_advertising_where_somebody_on_it_was_shown_some(small_source: Path) -> None:
    assert small_rows(small_source, "plans", "plan_id, is_ad_supported") == [
        ("basic", False),
        ("premium", True),
    ]


def test_a_day_of_use_is_a_session_and_a_day_without_an_event_is_none(small_source: Path) -> None:
    columns = "subscriber_id, started_at::date::varchar, ended_at = started_at, watched_seconds"
    assert small_rows(small_source, "playback_sessions", columns) == [
        ("1", "2020-01-11", True, 0),
        ("1", "2020-03-12", True, 0),
    ]


def test_a_source_without_one_of_its_tables_is_told_by_file(small_source: Path) -> None:
    (small_source / "event_daily.csv").unlink()
    with pytest.raises(MappingError, match=r"plans\.sql: .*event_daily"):
        map_tables(source=small_source, sql=EXAMPLE / "sql", out=small_source.parent / "raw")


def test_a_file_that_cannot_be_read_is_named(small_source: Path) -> None:
    (small_source / "event_daily.csv").rename(small_source / "event_daily.parquet")
    with pytest.raises(MappingError, match=r"event_daily\.parquet: "):
        map_tables(source=small_source, sql=EXAMPLE / "sql", out=small_source.parent / "raw")


def test_without_the_source_the_example_says_what_is_missing_and_how_to_name_it(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "nowhere"
    done = subprocess.run(
        [EXAMPLE / "run", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TENURE_SHARED": str(shared)},
    )
    assert done.returncode == 2
    assert str(shared / "data" / "fightchurn_socialnet7") in done.stderr
    assert "TENURE_SHARED" in done.stderr
    assert not (tmp_path / "out" / "warehouse").exists()


def test_without_a_release_there_is_no_churn_to_show(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE / "show_churn.py", "--warehouse", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "tenure run" in done.stderr
