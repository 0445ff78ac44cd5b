"""What the landing gate makes of good and bad raw folders."""

import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import Fault
from orchestration.raw import landing, parquet_files
from orchestration.raw.contract import RawContract
from orchestration.raw.folder import RawFile, open_raw_folder
from tests.orchestration.samples import write_table


def faults_of(raw: Path, contract: RawContract) -> tuple[Fault, ...]:
    return landing.inspect(open_raw_folder(raw, contract), contract).faults


def only_fault(raw: Path, contract: RawContract) -> Fault:
    (fault,) = faults_of(raw, contract)
    assert fault.advice, "a fault says what to do"
    return fault


def landed(raw: Path, contract: RawContract, table: str) -> list[tuple[object, ...]]:
    """The rows of a table as the views give them, in no order of arrival."""
    inspection = landing.inspect(open_raw_folder(raw, contract), contract)
    assert inspection.faults == ()
    with duckdb.connect() as connection:
        # a session in another zone must not move an instant
        connection.execute("set TimeZone = 'America/New_York'")
        landing.lay_views(connection, inspection)
        rows = connection.execute(f"select * from raw.{table}").fetchall()
    return sorted(rows, key=repr)


def landed_value(raw: Path, contract: RawContract, table: str, column: str) -> object:
    (row,) = landed(raw, contract, table)
    names = [each.name for each in contract.table(table).columns]
    return row[names.index(column)]


def test_no_such_folder(tmp_path: Path, contract: RawContract) -> None:
    fault = only_fault(tmp_path / "nowhere", contract)
    assert "nowhere does not exist" in fault.what
    assert "--raw" in fault.advice


def test_a_folder_that_the_system_refuses_to_look_at(tmp_path: Path, contract: RawContract) -> None:
    """As one below a folder without rights, which does not stop who runs this as root."""
    fault = only_fault(tmp_path / ("long" * 100), contract)
    assert "the folder can't be opened: File name too long" in fault.what


def test_a_file_is_no_folder(tmp_path: Path, contract: RawContract) -> None:
    (tmp_path / "raw").touch()
    assert "is not a folder" in only_fault(tmp_path / "raw", contract).what


def test_required_table_missing(full_raw: Path, contract: RawContract) -> None:
    shutil.rmtree(full_raw / "payments")
    fault = only_fault(full_raw, contract)
    assert (fault.table, fault.file) == ("payments", full_raw / "payments")
    assert "missing" in fault.what
    assert "payment_id" in fault.advice


def test_empty_folder_of_a_required_table(full_raw: Path, contract: RawContract) -> None:
    (full_raw / "plans" / "part.parquet").unlink()
    assert only_fault(full_raw, contract).table == "plans"


def test_optional_table_missing_is_a_table_without_rows(
    full_raw: Path, contract: RawContract
) -> None:
    shutil.rmtree(full_raw / "titles")
    assert landed(full_raw, contract, "titles") == []
    assert landing.inspect(open_raw_folder(full_raw, contract), contract).absent == ("titles",)


@pytest.mark.parametrize("table", ["titles", "plans"])
@pytest.mark.parametrize("in_its_place", ["a link to a disk that is not there", "a file"])
def test_what_stands_in_a_folders_place_is_no_table_without_rows(
    full_raw: Path, contract: RawContract, table: str, in_its_place: str
) -> None:
    folder = full_raw / table
    shutil.rmtree(folder)
    if in_its_place == "a file":
        folder.touch()
    else:
        folder.symlink_to(full_raw / "not_mounted" / table)
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table) == (folder, table)
    assert "no folder, or a link that leads to none" in fault.what


def test_a_folder_may_be_a_link(full_raw: Path, contract: RawContract, tmp_path: Path) -> None:
    elsewhere = shutil.move(full_raw / "titles", tmp_path / "elsewhere")
    (full_raw / "titles").symlink_to(elsewhere)
    assert len(landed(full_raw, contract, "titles")) == 1


def test_a_file_beside_the_folder_that_it_should_lie_in(
    full_raw: Path, contract: RawContract
) -> None:
    beside = full_raw / "titles.parquet"
    shutil.move(full_raw / "titles" / "part.parquet", beside)
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table) == (beside, "titles")
    assert "Move it into the folder titles" in fault.advice


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_column_missing(full_raw: Path, contract: RawContract, suffix: str) -> None:
    path = full_raw / "plans" / f"more.{suffix}"
    write_table(path, "plans", contract, plan_tier=None)
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table, fault.column) == (path, "plans", "plan_tier")
    assert "missing" in fault.what
    assert "Add plan_tier, text" in fault.advice


@pytest.mark.parametrize(
    ("table", "column", "written"),
    [
        ("subscribers", "subscriber_id", "1"),
        ("subscribers", "birth_year", "'1985'"),
        ("subscribers", "birth_year", "1985.0::double"),
        ("subscribers", "signed_up_at", "'2024-01-01 00:00:00'"),
        ("subscribers", "signed_up_at", "date '2024-01-01'"),
        ("subscribers", "is_marketing_opt_in", "1"),
        ("exchange_rates", "rate", "'1.08'"),
        ("exchange_rates", "rate_date", "timestamp '2024-01-01 00:00:00'"),
    ],
)
def test_parquet_column_of_another_type(
    full_raw: Path, contract: RawContract, table: str, column: str, written: str
) -> None:
    path = full_raw / table / "more.parquet"
    write_table(path, table, contract, **{column: written})
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table, fault.column) == (path, table, column)
    assert "expected is" in fault.what


@pytest.mark.parametrize(
    ("table", "column", "written", "read"),
    [
        ("subscribers", "birth_year", "1985::smallint", 1985),
        ("subscribers", "birth_year", "1985::hugeint::decimal(38, 0)", 1985),
        ("subscribers", "birth_year", "1985::ubigint", 1985),
        (
            "subscribers",
            "signed_up_at",
            "'2024-06-01 12:00:00+02'::timestamptz",
            datetime(2024, 6, 1, 10),  # noqa: DTZ001 as raw timestamps are: UTC without saying it
        ),
        (
            "subscribers",
            "signed_up_at",
            "'2024-06-01 12:00:00.123456789'::timestamp_ns",
            datetime(2024, 6, 1, 12, 0, 0, 123456),  # noqa: DTZ001
        ),
        ("exchange_rates", "rate", "1.0825::double", Decimal("1.082500000000")),
        ("exchange_rates", "rate", "0.30000000000000004::double", Decimal("0.30000000000000004")),
        ("exchange_rates", "rate", "9.7084496e-07::double", Decimal("0.00000097084496")),
        ("exchange_rates", "rate", "123456789.5::double", Decimal("123456789.5")),
        ("exchange_rates", "rate", "1.1::float", Decimal("1.1")),
        # a bad row, whatever its file's type
        ("exchange_rates", "rate", "10000000000::decimal(38, 9)", None),
        ("exchange_rates", "rate", "3000000000::bigint", None),
        ("exchange_rates", "rate", "1.0825::decimal(8, 4)", Decimal("1.082500000000")),
        # no number is no rate: null, and quarantined as such
        ("exchange_rates", "rate", "'nan'::double", None),
    ],
)
def test_parquet_type_that_is_as_good(
    full_raw: Path, contract: RawContract, table: str, column: str, written: str, read: object
) -> None:
    path = full_raw / table / "part.parquet"
    write_table(path, table, contract, **{column: written})
    assert landed_value(full_raw, contract, table, column) == read


def test_csv_rate_that_is_too_large_is_read_as_in_parquet(
    full_raw: Path, contract: RawContract
) -> None:
    path = full_raw / "exchange_rates" / "part.parquet"
    path.unlink()
    write_table(path.with_suffix(".csv"), "exchange_rates", contract, rate="10000000000")
    assert landed_value(full_raw, contract, "exchange_rates", "rate") is None


def test_parquet_integer_beyond_64_bits(full_raw: Path, contract: RawContract) -> None:
    path = full_raw / "plans" / "more.parquet"
    write_table(path, "plans", contract, max_streams="18446744073709551615::ubigint")
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.column) == (path, "max_streams")
    assert "beyond 64 bits" in fault.what


def test_parquet_column_of_nothing_but_nulls_fits_every_type(
    full_raw: Path, contract: RawContract
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = full_raw / "subscribers" / "part.parquet"
    table = pq.read_table(path)
    for column in ("email", "birth_year"):
        position = table.column_names.index(column)
        table = table.set_column(position, column, pa.nulls(table.num_rows))
    pq.write_table(table, path)
    assert landed_value(full_raw, contract, "subscribers", "birth_year") is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"this is no parquet", "not a Parquet file"),
        (None, "cut short"),
    ],
)
def test_parquet_that_cannot_be_read(
    full_raw: Path, contract: RawContract, content: bytes | None, told: str
) -> None:
    whole = (full_raw / "invoices" / "part.parquet").read_bytes()
    path = full_raw / "invoices" / "more.parquet"
    path.write_bytes(whole[: len(whole) * 2 // 3] if content is None else content)
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table) == (path, "invoices")
    assert told in fault.what


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_csv_with_another_delimiter(full_raw: Path, contract: RawContract, delimiter: str) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract)
    path.write_text(path.read_text().replace(",", delimiter))
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table) == (path, "plans")
    assert "plan_id" in (fault.column or "")
    assert "comma" in fault.advice


@pytest.mark.parametrize(
    ("column", "written", "shape"),
    [
        ("birth_year", "'mary@example.org'", "aaaa@aaaaaaa.aaa"),
        ("birth_year", "'1985.5'", "9999.9"),
        ("signed_up_at", "'31/12/2024 10:00'", "99/99/9999 99:99"),
        ("signed_up_at", "'2024-13-01 00:00:00'", "9999-99-99 99:99:99"),
        ("is_marketing_opt_in", "'perhaps'", "aaaaaaa"),
    ],
)
def test_csv_value_that_is_of_another_type(
    full_raw: Path, contract: RawContract, column: str, written: str, shape: str
) -> None:
    path = full_raw / "subscribers" / "more.csv"
    good = f"case when row < 2 then null else {written} end"
    write_table(path, "subscribers", contract, rows=4, **{column: good})
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table, fault.column) == (path, "subscribers", column)
    assert "2 values" in fault.what
    assert f"data row 3, which looks like '{shape}'" in fault.what
    assert written.strip("'") not in str(fault), "a value may be personal data"


def test_csv_lines_that_do_not_fit_the_header(full_raw: Path, contract: RawContract) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract)
    path.write_text(path.read_text() + "secret,1\n" + "a,b,c,true,1,2024-01-01,too,many\n")
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table) == (path, "plans")
    assert "2 lines" in fault.what
    assert "line 3" in fault.what
    assert "secret" not in str(fault)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_csv_that_is_not_utf8(full_raw: Path, contract: RawContract, encoding: str) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract, plan_name="'Café'")
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    fault = only_fault(full_raw, contract)
    assert (fault.file, fault.table) == (path, "plans")
    assert "UTF-8" in fault.advice


def test_csv_without_a_header_line(full_raw: Path, contract: RawContract) -> None:
    (full_raw / "plans" / "more.csv").touch()
    assert "empty" in only_fault(full_raw, contract).what


def test_csv_with_a_column_twice(full_raw: Path, contract: RawContract) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract)
    path.write_text(path.read_text().replace("plan_name", "plan_id", 1))
    assert only_fault(full_raw, contract).column == "plan_id"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-06-01 12:00:00", datetime(2024, 6, 1, 12)),  # noqa: DTZ001
        ("2024-06-01T12:00:00", datetime(2024, 6, 1, 12)),  # noqa: DTZ001
        ("2024-06-01T12:00:00Z", datetime(2024, 6, 1, 12)),  # noqa: DTZ001
        ("2024-06-01T12:00Z", datetime(2024, 6, 1, 12)),  # noqa: DTZ001
        ("2024-06-01 12:00:00.250000", datetime(2024, 6, 1, 12, 0, 0, 250000)),  # noqa: DTZ001
        ("2024-06-01T12:00:00.25+02:00", datetime(2024, 6, 1, 10, 0, 0, 250000)),  # noqa: DTZ001
        ("2024-06-01 12:00:00-0330", datetime(2024, 6, 1, 15, 30)),  # noqa: DTZ001
        ("2024-06-01", datetime(2024, 6, 1)),  # noqa: DTZ001
    ],
)
def test_csv_timestamps(
    full_raw: Path, contract: RawContract, written: str, read: datetime
) -> None:
    (full_raw / "subscribers" / "part.parquet").unlink()
    path = full_raw / "subscribers" / "part.csv"
    write_table(path, "subscribers", contract, signed_up_at=f"'{written}'")
    assert landed_value(full_raw, contract, "subscribers", "signed_up_at") == read


@pytest.mark.parametrize(
    ("written", "read"), [("'12'", 12), ("'-3'", -3), ("'12.0'", 12), ("''", None), ("null", None)]
)
def test_csv_whole_numbers(
    full_raw: Path, contract: RawContract, written: str, read: int | None
) -> None:
    (full_raw / "subscribers" / "part.parquet").unlink()
    path = full_raw / "subscribers" / "part.csv"
    write_table(path, "subscribers", contract, birth_year=written)
    assert landed_value(full_raw, contract, "subscribers", "birth_year") == read


def test_csv_text_keeps_quotes_and_line_breaks(full_raw: Path, contract: RawContract) -> None:
    (full_raw / "plans" / "part.parquet").unlink()
    path = full_raw / "plans" / "part.csv"
    write_table(path, "plans", contract, plan_name="""'a "b", c' || chr(10) || 'd'""")
    assert landed_value(full_raw, contract, "plans", "plan_name") == 'a "b", c\nd'


def test_csv_says_the_same_as_parquet(full_raw: Path, contract: RawContract) -> None:
    for table in contract.tables:
        from_parquet = landed(full_raw, contract, table.name)
        (full_raw / table.name / "part.parquet").unlink()
        write_table(full_raw / table.name / "part.csv", table.name, contract)
        assert landed(full_raw, contract, table.name) == from_parquet
        assert len(from_parquet) == 1


def test_files_columns_and_formats_in_any_order(full_raw: Path, contract: RawContract) -> None:
    plans = full_raw / "plans"
    write_table(plans / "b.csv", "plans", contract, plan_id="'from csv'")
    write_table(plans / "a.parquet", "plans", contract, plan_id="'from parquet'")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 'ignored' as more, * exclude (plan_id), 'reversed' as plan_id"
            f" from '{plans}/a.parquet') to '{plans}/z.parquet' (format parquet)"
        )
    rows = landed(full_raw, contract, "plans")
    assert [row[0] for row in rows] == ["from csv", "from parquet", "reversed", "text"]
    for name in ("a.parquet", "b.csv", "z.parquet"):
        (plans / name).rename(plans / f"{'zyx'['abz'.index(name[0])]}-{name}")
    assert landed(full_raw, contract, "plans") == rows


def test_timestamps_with_and_without_a_zone_in_one_table(
    full_raw: Path, contract: RawContract
) -> None:
    write_table(
        full_raw / "plans" / "zoned.parquet",
        "plans",
        contract,
        recorded_at="'2024-02-29 14:30:00.25+02'::timestamptz",
    )
    instants = {row[-1] for row in landed(full_raw, contract, "plans")}
    assert instants == {datetime(2024, 2, 29, 12, 30, 0, 250000)}  # noqa: DTZ001


@pytest.mark.parametrize(
    "name", ["it's.parquet", 'a "b".parquet', "a b.PARQUET", "x[1].parquet", "é*?.csv", "{a,b}.csv"]
)
def test_odd_file_names(full_raw: Path, contract: RawContract, name: str) -> None:
    written = full_raw / "plans" / f"plain{Path(name).suffix.lower()}"
    write_table(written, "plans", contract, plan_id="'odd'")
    written.rename(full_raw / "plans" / name)
    assert [row[0] for row in landed(full_raw, contract, "plans")] == ["odd", "text"]


def test_a_header_and_no_row_is_an_empty_table(full_raw: Path, contract: RawContract) -> None:
    (full_raw / "plans" / "part.parquet").unlink()
    write_table(full_raw / "plans" / "part.csv", "plans", contract, rows=0)
    write_table(full_raw / "payments" / "part.parquet", "payments", contract, rows=0)
    assert landed(full_raw, contract, "plans") == []
    assert landed(full_raw, contract, "payments") == []


def test_everything_is_told_at_once(full_raw: Path, contract: RawContract) -> None:
    shutil.rmtree(full_raw / "payments")
    write_table(full_raw / "plans" / "more.parquet", "plans", contract, plan_tier=None)
    write_table(full_raw / "titles" / "more.csv", "titles", contract, runtime_seconds="'long'")
    (full_raw / "invoices" / "more.parquet").write_bytes(b"PAR1")
    told = {(fault.table, fault.column) for fault in faults_of(full_raw, contract)}
    assert told == {
        ("payments", None),
        ("plans", "plan_tier"),
        ("titles", "runtime_seconds"),
        ("invoices", None),
    }


def test_many_files_with_one_fault_are_one_message(full_raw: Path, contract: RawContract) -> None:
    for number in range(3):
        path = full_raw / "plans" / f"part-{number}.parquet"
        write_table(path, "plans", contract, max_streams="'two'")
    fault = only_fault(full_raw, contract)
    assert fault.file == full_raw / "plans" / "part-0.parquet"
    assert "2 other files" in fault.what


def test_a_letter_of_another_encoding_is_told_by_its_line(
    full_raw: Path, contract: RawContract
) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract)
    rows = path.read_bytes()
    path.write_bytes(rows + "café,\n".encode("latin-1"))
    fault = only_fault(full_raw, contract)
    assert fault.file == path
    assert "the first is line 3 (invalid encoding)" in fault.what
    path.write_bytes("é,".encode("latin-1") + rows)
    assert "the file's first line can't be read" in only_fault(full_raw, contract).what


def test_line_ends_of_two_kinds_are_told(full_raw: Path, contract: RawContract) -> None:
    path = full_raw / "plans" / "more.csv"
    write_table(path, "plans", contract)
    header, row = path.read_bytes().splitlines()
    path.write_bytes(b"\r\n".join([header, row + b"\n" + row, b""]))
    fault = only_fault(full_raw, contract)
    assert fault.file == path
    assert "the same line ends throughout" in fault.advice


def test_what_is_no_raw_table_is_passed_over_and_said(
    full_raw: Path, contract: RawContract
) -> None:
    (full_raw / "campaign_ideas").mkdir()
    (full_raw / "plans" / "notes.txt").touch()
    (full_raw / "plans" / "_SUCCESS").touch()
    (full_raw / "export.csv").touch()
    (full_raw / "truth.json").touch()
    folder = open_raw_folder(full_raw, contract)
    assert folder.faults == ()
    assert folder.notices == (
        "plans/notes.txt: neither .parquet nor .csv; ignored",
        "campaign_ideas: no raw table of this name; ignored",
        "export.csv: lies in no raw table's folder; ignored",
    )


def test_fingerprint_is_of_the_content_and_listing_of_the_files(
    full_raw: Path, contract: RawContract, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(full_raw, copied)
    here, there = open_raw_folder(full_raw, contract), open_raw_folder(copied, contract)
    assert here.fingerprint() == there.fingerprint()
    write_table(copied / "plans" / "part.parquet", "plans", contract, plan_id="'next'")
    changed = open_raw_folder(copied, contract)
    assert changed.fingerprint() != here.fingerprint()
    assert changed.listing() != there.listing


def test_the_engine_knows_how_many_rows_all_files_hold(
    full_raw: Path, contract: RawContract
) -> None:
    # guessed from one file, the months of a service that grows are all as small as the first
    folder = full_raw / "playback_sessions"
    (first,) = folder.iterdir()
    duckdb.sql(
        f"copy (select rows.* from read_parquet('{first}') as rows, range(5000))"
        f" to '{folder / 'z.parquet'}'"
    )
    inspection = landing.inspect(open_raw_folder(full_raw, contract), contract)
    with duckdb.connect() as connection:
        landing.lay_views(connection, inspection)
        ((rows,),) = connection.execute("select count(*) from raw.playback_sessions").fetchall()
        ((_, plan),) = connection.execute("explain select * from raw.playback_sessions").fetchall()
    assert f"~{rows:,} rows" in plan


@pytest.fixture
def days_of_playback(full_raw: Path) -> list[Path]:
    """Twenty files alike."""
    folder = full_raw / "playback_sessions"
    (first,) = folder.iterdir()
    return [Path(shutil.copy(first, folder / f"day{number}.parquet")) for number in range(20)]


def test_of_files_alike_the_types_are_asked_once(
    full_raw: Path,
    days_of_playback: list[Path],
    contract: RawContract,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    ask = parquet_files.columns_of

    def noted(connection: duckdb.DuckDBPyConnection, file: RawFile) -> tuple[tuple[str, str], ...]:
        asked.append(file.table)
        return ask(connection, file)

    monkeypatch.setattr(parquet_files, "columns_of", noted)
    inspection = landing.inspect(open_raw_folder(full_raw, contract), contract)
    found = {each.table.name: each.files for each in inspection.tables}
    assert found["playback_sessions"] == len(days_of_playback) + 1
    assert asked.count("playback_sessions") == 1


def test_a_bad_file_among_many_is_the_one_that_is_named(
    full_raw: Path, days_of_playback: list[Path], contract: RawContract
) -> None:
    bad = days_of_playback[7]
    bad.write_bytes(bad.read_bytes()[:100])
    fault = only_fault(full_raw, contract)
    assert fault.file == bad
    assert "cut short" in fault.what
