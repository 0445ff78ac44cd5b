"""The real project from a simulated service's files to its release, by each way that files come."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.database.sql_text import quoted_text
from orchestration.database.warehouse import Warehouse
from orchestration.errors import AuditError, Fault, InputError
from orchestration.raw.contract import RawContract
from orchestration.transform import verdicts
from orchestration.transform.manifest import MARTS_SCHEMA, Manifest
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtBuild, ParsedProject
from simulator.service import simulate
from tests.conftest import RunPipeline

AS_OF = "2026-01-01T00:00:00Z"

FILES_OF_A_TABLE = 3


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small service in three currencies; nobody asks to be erased, since new ids are random."""
    raw = tmp_path_factory.mktemp("service") / "raw"
    simulate(subscribers=120, months=4, seed=11, plays_per_month=2.0, out=raw)
    shutil.rmtree(raw / "erasure_requests")
    return raw


@pytest.fixture(scope="module")
def from_parquet(run_pipeline: RunPipeline, service: Path) -> Warehouse:
    return run_pipeline(service, as_of=AS_OF)


def marts(place: Warehouse) -> dict[str, tuple[int, int]]:
    """Each mart's number of rows and a hash of them that knows no order."""
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [MARTS_SCHEMA]
        ).fetchall()
        return {
            name: connection.execute(
                "select count(*), coalesce(sum(hash(row_of)), 0)"
                f' from {MARTS_SCHEMA}."{name}" as row_of'
            ).fetchall()[0]
            for (name,) in names
        }


def test_every_mart_is_released_with_rows(from_parquet: Warehouse, manifest: Manifest) -> None:
    counts = {name: rows for name, (rows, _) in marts(from_parquet).items()}
    expected = {table.name for table in manifest.released_tables() if table.schema == MARTS_SCHEMA}
    assert set(counts) == expected
    assert counts["dim_subscribers"] == 120
    assert counts["mrr_bridge_monthly"] > 0
    assert counts["viewing_daily"] > 0


def test_every_expectation_was_judged_on_real_marts(from_parquet: Warehouse) -> None:
    with duckdb.connect(str(from_parquet.release_file), read_only=True) as connection:
        kinds = connection.execute(
            "select kind, count(*) > 50, count(*) filter (where status = 'failed')"
            " from quality.check_results group by kind order by kind"
        ).fetchall()
    assert kinds == [("data test", True, 0), ("expectation", True, 0)]


def test_csv_in_shuffled_pieces_gives_the_same_marts(
    run_pipeline: RunPipeline,
    service: Path,
    from_parquet: Warehouse,
    contract: RawContract,
    tmp_path: Path,
) -> None:
    with duckdb.connect() as connection:
        for table in contract.tables:
            if not (service / table.name).exists():
                continue
            (tmp_path / table.name).mkdir()
            files = quoted_text(str(service / table.name / "*.parquet"))
            for piece in range(FILES_OF_A_TABLE):
                # later rows in earlier files, and within a file by chance
                target = tmp_path / table.name / f"{FILES_OF_A_TABLE - piece}.csv"
                connection.execute(
                    f"copy (select * from read_parquet({files}, file_row_number = true)"
                    f" where file_row_number % {FILES_OF_A_TABLE} = {piece}"
                    " order by hash(file_row_number))"
                    f" to {quoted_text(str(target))} (format csv, header)"
                )
    assert marts(run_pipeline(tmp_path, as_of=AS_OF)) == marts(from_parquet)


def test_an_older_horizon_gives_its_figures_again_whatever_came_since(
    run_pipeline: RunPipeline,
    service: Path,
    from_parquet: Warehouse,
    contract: RawContract,
    tmp_path: Path,
) -> None:
    """Every row of the two years before comes once more, as a correction and as a new key."""
    raw = Path(shutil.copytree(service, tmp_path / "raw"))
    late_by = "recorded_at + interval 2 year as recorded_at"
    with duckdb.connect() as connection:
        for table in contract.tables:
            if not (raw / table.name).exists():
                continue
            files = quoted_text(str(raw / table.name / "*.parquet"))
            keys = [key for key in table.key if key.endswith("_id")]
            others = ", ".join([late_by, *(f"'late-' || {key} as {key}" for key in keys)])
            target = quoted_text(str(raw / table.name / "late.parquet"))
            connection.execute(
                f"copy (select * replace ({late_by}) from read_parquet({files}) union all by name"
                f" select * replace ({others}) from read_parquet({files}))"
                f" to {target} (format parquet)"
            )
    place = run_pipeline(raw, as_of=AS_OF)
    assert marts(place) == marts(from_parquet)
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        ((late, known),) = connection.execute(
            "select sum(beyond_as_of_rows), sum(accepted_rows) from quality.row_reconciliation"
        ).fetchall()
    assert late == 2 * known > 0


@pytest.fixture
def built(from_parquet: Warehouse, tmp_path: Path) -> Warehouse:
    """What the run has built, to be changed."""
    place = Warehouse(tmp_path / "warehouse")
    place.prepare()
    shutil.copyfile(from_parquet.build_file, place.build_file)
    return place


def run_tests(
    project: ParsedProject, place: Warehouse, *selected: str, as_of: str | None = None
) -> DbtBuild:
    """Runs data tests alone on what stands in the build's file."""
    build = project.project.start(
        place,
        check_parameters(project.project.root, as_of=as_of).parameters,
        tests="only",
        parsed=project.parsed,
        select=selected,
    )
    for _ in build:
        pass
    return build


def test_a_lost_row_and_a_lost_cent_each_stop_the_release(
    parsed_project: ParsedProject, built: Warehouse, tmp_path: Path
) -> None:
    with duckdb.connect(str(built.build_file)) as connection:
        connection.execute(
            "update quality.row_reconciliation set accepted_rows = accepted_rows - 1"
            " where table_name = 'payments'"
        )
        connection.execute(
            "update quality.money_reconciliation set recognised_minor = recognised_minor - 1"
            " where currency = 'USD'"
        )
    build = run_tests(parsed_project, built, "row_reconciliation", "money_reconciliation")
    error = verdicts.build_error(
        parsed_project.manifest,
        build.finished,
        raw_folder=tmp_path,
        raw_files=[],
        warehouse=built.root,
        messages_of=lambda _: (),
    )
    assert isinstance(error, AuditError)
    assert error.exit_status == 3
    told = str(error)
    assert "assert_rows_reconcile: Got 1 result" in told
    assert "assert_money_reconciles: Got 1 result" in told
    assert "Nothing was released" in told


def messages(build: DbtBuild, place: Warehouse) -> Callable[[str], list[str]]:
    """What the failing rows of a test tell, asked of the build's file."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(place.build_file)) as connection:
            return connection.execute(query).fetchall()

    return lambda unique_id: build.failing_messages(ask, unique_id)


def warnings_of(
    parsed_project: ParsedProject, built: Warehouse, test: str, *, as_of: str | None = None
) -> tuple[Fault, ...]:
    """What a data test that only warns tells of a build."""
    build = run_tests(parsed_project, built, test, as_of=as_of)
    return verdicts.suspicions(parsed_project.manifest, build.finished, messages(build, built))


def test_rows_of_a_wrong_clock_are_told(parsed_project: ParsedProject, built: Warehouse) -> None:
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    ahead = now + timedelta(days=2)

    def tell(as_of: str | None = None) -> tuple[str, ...]:
        test = "assert_no_row_is_recorded_ahead_of_the_clock"
        return tuple(str(fault) for fault in warnings_of(parsed_project, built, test, as_of=as_of))

    assert tell() == ()
    with duckdb.connect(str(built.build_file)) as connection:
        for table, recorded_at in [
            ("payments", [now + timedelta(hours=14)]),
            ("playback_sessions", [ahead - timedelta(hours=1), ahead]),
        ]:
            connection.execute(
                f"create table raw.late_{table} as"
                f" select * replace (unnest(?) as recorded_at) from (from raw.{table} limit 1)",
                [recorded_at],
            )
            connection.execute(f"create or replace view raw.{table} as from raw.late_{table}")
    # beyond the horizon they don't exist
    assert tell() == ()
    with duckdb.connect(str(built.build_file)) as connection:
        connection.execute("update staging.stg_clock set as_of = ?", [ahead + timedelta(seconds=1)])
    ((told,), (told_of_a_named_one,)) = tell(), tell(f"{ahead + timedelta(seconds=1):%FT%TZ}")
    assert told.startswith(
        "playback_sessions: 2 of its rows are recorded more than a day after the clock of this"
        f" machine, the last at {ahead:%Y-%m-%d %H:%M:%S}, and everything is built as of then"
    )
    assert "--as-of" in told
    assert "everything" not in told_of_a_named_one
    assert "--as-of" not in told_of_a_named_one
    assert "raw files" in told_of_a_named_one


def test_rates_that_are_there_and_quarantined_are_told(
    parsed_project: ParsedProject, built: Warehouse
) -> None:
    """Two rates up to 1 September are quarantined, and all others of euros are of other days."""
    with duckdb.connect(str(built.build_file)) as connection:
        connection.execute(
            "update staging.base_billing__exchange_rates"
            " set broken_rule = case"
            " when rate_date = date '2025-08-25' then 'out_of_range'"
            " when rate_date = date '2025-08-31' then 'event_after_recorded' end"
            " where currency = 'EUR'"
        )
        connection.execute(
            "delete from staging.base_billing__exchange_rates where currency = 'EUR'"
            " and broken_rule is null and rate_date between '2025-08-25' and '2025-09-01'"
        )
        connection.execute(
            "update intermediate.int_currency__valued_months set rate = null"
            " where currency in ('EUR', 'JPY') and month_start = date '2025-09-01'"
        )
    build = run_tests(parsed_project, built, "assert_every_valued_month_has_a_rate")
    error = verdicts.build_error(
        parsed_project.manifest,
        build.finished,
        raw_folder=built.root,
        raw_files=[],
        warehouse=built.root,
        messages_of=messages(build, built),
    )
    assert isinstance(error, InputError)
    assert error.exit_status == 2
    told = str(error)
    assert "no rate for EUR on 2025-09-01: exchange_rates has rows for EUR" in told
    assert "a rate_date from 2025-08-25 to 2025-09-01, but they are quarantined" in told
    assert (
        "that of 2025-08-31 by the rule event_after_recorded (The event is dated more than" in told
    )
    assert "no rate for JPY on 2025-09-01: add a row for JPY to exchange_rates" in told


def test_rows_of_a_clock_that_was_never_set_are_told(
    parsed_project: ParsedProject, built: Warehouse
) -> None:
    name = "assert_no_row_happened_before_1990"
    assert warnings_of(parsed_project, built, name) == ()
    with duckdb.connect(str(built.build_file)) as connection:
        connection.execute(
            "create table staging.early as select * replace"
            " (timestamp '1970-01-01 00:00:05' as attempted_at)"
            " from (from staging.stg_billing__payments limit 1)"
        )
        connection.execute(
            "create or replace view staging.stg_billing__payments as from staging.early"
        )
    (fault,) = warnings_of(parsed_project, built, name)
    assert fault.what == (
        "payments: 1 of its rows happened before 1990, the first on 1970-01-01, and every month"
        " since then is built"
    )


def test_another_currency_without_rates(
    run_pipeline: RunPipeline, service: Path, tmp_path: Path
) -> None:
    raw = Path(shutil.copytree(service, tmp_path / "raw"))
    shutil.rmtree(raw / "exchange_rates")
    place = Warehouse(tmp_path / "warehouse")
    with pytest.raises(InputError) as refused:
        run_pipeline(raw, warehouse=place)
    told = str(refused.value)
    assert "no rate for EUR on 2025-09-01" in told
    assert "exchange_rates is required, and has no row" in told
    assert not place.release_file.exists()


def test_amounts_that_money_cannot_hold_are_told_by_table(
    run_pipeline: RunPipeline, service: Path, tmp_path: Path
) -> None:
    raw = Path(shutil.copytree(service, tmp_path / "raw"))
    absurd = {
        "subscription_changes": f"'absurd' as change_id, 'active' as status,"
        f" {2**63 - 1} as amount_minor",
        "invoice_lines": f"'absurd' as invoice_line_id, {-(2**63)} as amount_minor,"
        f" {2**63 - 1} as discount_minor, 'P1' as promotion_code",
        "payments": f"'absurd' as payment_id, 'succeeded' as status, {2**60} as amount_minor,"
        f" {2**63 - 1} as fee_minor",
        "refunds": f"'absurd' as refund_id, 'absurd' as payment_id, {10**16} as amount_minor,"
        " 0 as tax_minor",
        # the largest that is none
        "marketing_spend": f"{10**16 - 1} as amount_minor",
    }
    is_paid = "invoice_id in (select invoice_id from paid)"
    conditions = {"invoice_lines": is_paid, "payments": is_paid}
    with duckdb.connect() as connection:
        connection.execute(
            f"create table paid as select invoice_id from read_parquet('{raw}/invoices/*.parquet')"
            " where currency = 'USD' and status = 'paid'"
        )
        for table, columns in absurd.items():
            condition = conditions.get(table, "currency = 'USD'")
            connection.execute(
                f"copy (select * replace ({columns}) from read_parquet('{raw}/{table}/*.parquet')"
                f" where {condition} order by recorded_at limit 1)"
                f" to '{raw}/{table}/absurd.parquet'"
            )
    with pytest.raises(InputError) as refused:
        run_pipeline(raw, as_of=AS_OF)
    told = r"(\w+: \d) of its amounts are a hundred trillion USD or more"
    assert sorted(re.findall(told, str(refused.value))) == [
        "invoice_lines: 2",
        # and its tax
        "payments: 3",
        "refunds: 1",
        "subscription_changes: 1",
    ]


def test_seconds_that_cannot_be_added_up_are_told_by_play(
    run_pipeline: RunPipeline, service: Path, tmp_path: Path
) -> None:
    raw = Path(shutil.copytree(service, tmp_path / "raw"))
    plays = raw / "playback_sessions"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (names.name as session_id, {2**63 - 1} as watched_seconds)"
            f" from (from read_parquet('{plays}/*.parquet') order by recorded_at limit 1)"
            " cross join (values ('absurd'), ('absurd too')) as names (name))"
            f" to '{plays}/absurd.parquet'"
        )
    with pytest.raises(InputError, match="2 of its plays were watched for more than three hundred"):
        run_pipeline(raw, as_of=AS_OF)
