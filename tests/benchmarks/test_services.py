"""What is laid for the measurements: the history, the day after it, the corrected rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer import Typer
from typer.testing import CliRunner

from benchmarks.agreement import differing_marts
from benchmarks.bare_read import read_all
from benchmarks.report import BEGIN, END
from benchmarks.run import main
from benchmarks.services import (
    CORRECTED_CHANGE,
    CORRECTED_LINE,
    CORRECTED_PLAY,
    Correction,
    last_day,
    lay_correction,
    lay_day,
    lay_history,
)
from benchmarks.works import Work
from orchestration.settings import PROJECT_DIR
from orchestration.transform.project import DbtProject
from simulator import simulate

CONTRACT = DbtProject(PROJECT_DIR).contract()
SIMULATED_UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
DAY = last_day(SIMULATED_UNTIL)
CORRECTIONS = (CORRECTED_PLAY, CORRECTED_CHANGE, CORRECTED_LINE)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with rows that are late, doubled and revised."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(subscribers=60, months=12, seed=3, out=folder, dirt=True, end=SIMULATED_UNTIL)
    return folder


@pytest.fixture(scope="module")
def raw(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history of the service, without its last day."""
    folder = tmp_path_factory.mktemp("history") / "raw"
    lay_history(simulated, folder, CONTRACT.tables, DAY)
    return folder


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as opened:
        yield opened


def test_the_last_day_is_the_one_before_the_simulations_own() -> None:
    assert (DAY.begins_at, DAY.ends_at) == (
        datetime(2025, 12, 30, tzinfo=UTC),
        datetime(2025, 12, 31, tzinfo=UTC),
    )


def test_history_and_day_are_all_that_was_recorded_until_then(
    simulated: Path, raw: Path, tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    added = lay_day(simulated, tmp_path, CONTRACT.tables, DAY)
    laid = [tmp_path / "playback_sessions" / "2025-12-30.parquet"]
    for table in CONTRACT.tables:
        # as sets with counts: a row that comes twice has to come twice
        expected = connection.execute(
            f"select *, count(*) from '{simulated}/{table.name}/*.parquet'"
            " where recorded_at < '2025-12-31' or recorded_at is null group by all"
        ).fetchall()
        parts = [f"'{raw}/{table.name}/*.parquet'"]
        day_file = tmp_path / table.name / "2025-12-30.parquet"
        if day_file.exists():
            laid.append(day_file)
            parts.append(f"'{day_file}'")
        union = " union all ".join(f"select * from {part}" for part in parts)
        found = connection.execute(f"select *, count(*) from ({union}) group by all").fetchall()
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), table.name
    counted = connection.execute(
        "select count(*), min(recorded_at), min(ended_at) from read_parquet(?)", [str(laid[0])]
    ).fetchall()[0]
    assert 0 < counted[0] <= added
    assert counted[1] >= datetime(2025, 12, 30)  # noqa: DTZ001 - raw instants have no zone


def test_a_file_of_the_history_holds_one_month_of_arrivals(
    raw: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    found = connection.execute(
        "select parse_filename(filename)[:7], strftime(recorded_at, '%Y-%m')"
        f" from read_parquet('{raw}/playback_sessions/*.parquet', filename = true)"
        " where recorded_at is not null group by all order by all"
    ).fetchall()
    assert [first for first, _ in found] == [second for _, second in found]
    assert len(found) == 12
    assert not [path for path in raw.rglob("*") if path.is_dir() and path.parent != raw]


def test_the_rows_of_a_file_lie_in_the_order_of_arrival(
    raw: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    before = "lag(recorded_at) over (partition by filename order by file_row_number)"
    disordered, rows = connection.execute(
        f"select count(*) filter (where recorded_at < before), count(*) from (select *, {before}"
        f" as before from read_parquet('{raw}/playback_sessions/*.parquet', filename = true,"
        " file_row_number = true))"
    ).fetchall()[0]
    assert rows > 1000
    assert not disordered


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda correction: correction.table)
def test_a_correction_is_an_old_row_with_another_value_recorded_last(
    raw: Path, tmp_path: Path, connection: duckdb.DuckDBPyConnection, correction: Correction
) -> None:
    table = CONTRACT.table(correction.table)
    copied = tmp_path / table.name
    copied.mkdir()
    for file in (raw / table.name).iterdir():
        (copied / file.name).hardlink_to(file)
    lay_correction(tmp_path, table, correction, DAY)
    corrected = f"'{copied}/corrected.parquet'"
    same = " and ".join(
        f"corrected.{column.name} is not distinct from before.{column.name}"
        for column in table.columns
        if column.name not in (correction.column, "recorded_at")
    )
    rows = connection.execute(
        f"select corrected.{correction.column} < before.{correction.column},"
        f" corrected.recorded_at, corrected.{correction.event}"
        f" from {corrected} as corrected inner join '{raw}/{table.name}/*.parquet' as before"
        f" on {same}"
    ).fetchall()
    assert rows
    for is_less, recorded_at, happened_at in rows:
        assert is_less
        assert recorded_at == datetime(2025, 12, 30, 23, 59, 59)  # noqa: DTZ001 - no zone
        # 200 days before the day's end, 14 June: the nearest of a small service is some weeks off
        assert abs((happened_at - datetime(2025, 6, 14)).days) < 45  # noqa: DTZ001 - no zone


def test_nothing_to_correct_is_said(raw: Path) -> None:
    nothing = Correction("plans", "recorded_at", "max_streams > 99", "max_streams", "1")
    with pytest.raises(ValueError, match="no row of plans can be corrected"):
        lay_correction(raw, CONTRACT.table("plans"), nothing, DAY)


def test_the_bare_read_counts_every_value(raw: Path, connection: duckdb.DuckDBPyConnection) -> None:
    values = read_all(raw)
    assert set(values) == {table.name for table in CONTRACT.tables}
    rows, missing = connection.execute(
        "select count(*), count(*) filter (referred_by_subscriber_id is null)"
        " + count(*) filter (email is null) + count(*) filter (birth_year is null)"
        " + count(*) filter (country_code is null) + count(*) filter (acquisition_channel is null)"
        " + count(*) filter (subscriber_id is null) + count(*) filter (signed_up_at is null)"
        " + count(*) filter (is_marketing_opt_in is null) + count(*) filter (recorded_at is null)"
        f" from '{raw}/subscribers/*.parquet'"
    ).fetchall()[0]
    # nine columns
    assert values["subscribers"] == 9 * rows - missing


def test_releases_with_other_rows_differ_and_in_another_order_do_not(tmp_path: Path) -> None:
    def release(name: str, values: str) -> Path:
        file = tmp_path / name
        with duckdb.connect(file) as opened:
            opened.execute("create schema marts")
            opened.execute("create table marts.same (day integer)")
            opened.execute(
                f"create table marts.told as select * from (values {values})"
                " as rows(subscriber_id, day, amount)"
            )
        return file

    first = release("first.duckdb", "('a', 1, 10.5), ('b', 2, null)")
    turned = release("turned.duckdb", "('c', 2, null), ('a', 1, 10.5)")
    doubled = release("doubled.duckdb", "('a', 1, 10.5), ('a', 1, 10.5), ('b', 2, null)")
    other = release("other.duckdb", "('a', 2, 10.5), ('b', 1, null)")
    assert differing_marts(first, turned) == []
    assert differing_marts(first, doubled) == ["told"]
    assert differing_marts(first, other) == ["told"]


def test_the_whole_harness_on_a_tiny_service(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    program = Typer()
    program.command()(main)
    options = ["--scale", "tiny", "--rounds", "2", "--yardsticks", "0", "--only", Work.READ]
    done = CliRunner().invoke(
        program, [*options, "--folder", str(tmp_path / "bench"), "--readme", str(page)]
    )
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "Each was run 2 times" in text
    assert "### tiny plays: 40 sign-ups over 36 months" in text
    assert f"| {Work.READ} | " in text
    assert list((tmp_path / "bench").iterdir()) == []


def test_a_page_without_a_place_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    program = Typer()
    program.command()(main)
    page = tmp_path / "page.md"
    done = CliRunner().invoke(program, ["--folder", str(tmp_path / "bench"), "--readme", str(page)])
    assert done.exit_code == 2
    assert not (tmp_path / "bench").exists()
