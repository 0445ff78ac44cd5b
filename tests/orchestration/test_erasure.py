"""What erasure does beyond the build: requests, kept releases, receipts."""

import io
import json
import signal
import stat
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.database.warehouse import Warehouse
from orchestration.errors import DamagedError, InputError
from orchestration.releases import erasure
from orchestration.settings import Settings
from tests.orchestration.samples import damage

ERASED = "su-erased-0001"
OTHER = "su-erased-00012"
RELEASE = "20250101T000000Z"
KEY = {"hash_key": "a key of the test"}

KEPT_RELEASE = f"""
    create schema marts;
    create schema quality;
    create table marts.people (subscriber_id varchar primary key, signed_up_at timestamp not null);
    comment on table marts.people is 'One row per person.';
    insert into marts.people values ('{ERASED}', '2024-01-01'), ('{OTHER}', '2024-01-02');
    create table marts.events (
        event_id varchar, subscriber_id varchar, detail varchar, plan_id varchar,
        amount decimal(18,4)
    );
    insert into marts.events values
        ('churned:{ERASED}:2024-05-01 10:00:00', '{ERASED}', 'basic', '{ERASED}', 1.5),
        ('referred:{OTHER}', '{OTHER}', '{ERASED}', 'p', 2.25);
    create table marts.totals (plan_id varchar, amount decimal(18,4));
    insert into marts.totals values ('{ERASED}', 3.75);
    create table quality.quarantined_rows (table_name varchar, row_key varchar, row_json varchar);
    insert into quality.quarantined_rows values
        ('payments', 'pa1', '{{"payment_id":"pa1","subscriber_id":"{ERASED}"}}'),
        ('subscribers', '{ERASED}', null),
        ('payments', 'pa2', '{{"payment_id":"pa2","subscriber_id":"{OTHER}"}}');
    create table quality.check_results (check_name varchar, message varchar);
    insert into quality.check_results values
        ('a', 'odd rows: {ERASED}, pa1'), ('b', 'odd rows: {OTHER}'), ('c', '');
"""


@pytest.fixture
def kept(warehouse: Warehouse) -> Path:
    """A warehouse with one request and one release from before it."""
    path = warehouse.releases_dir / f"{RELEASE}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(KEPT_RELEASE)
    write_build(warehouse, requested_at="2025-02-01")
    return path


def write_build(warehouse: Warehouse, *, requested_at: str) -> None:
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute(
            f"""
            create schema if not exists raw;
            create schema if not exists staging;
            create or replace table staging.stg_clock as select timestamp '2025-06-01' as as_of;
            create or replace table raw.erasure_requests as
            select '{ERASED}' as subscriber_id, timestamp '{requested_at}' as requested_at,
                timestamp '{requested_at}' as recorded_at
            """
        )


def erase(warehouse: Warehouse) -> None:
    erasure.erase_from_kept(warehouse, Settings.model_validate(KEY), release_id="20250601T000000Z")


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def receipts(warehouse: Warehouse) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(warehouse.receipts_dir.glob("*"))]


def test_an_erased_id_is_another_in_all_tables_of_a_kept_release(
    warehouse: Warehouse, kept: Path
) -> None:
    erase(warehouse)
    ((new_id,),) = read(
        kept, "select subscriber_id from marts.people where signed_up_at = '2024-01-01'"
    )
    assert new_id not in {ERASED, OTHER}
    assert read(kept, "from marts.events order by amount") == [
        # the id of a plan names nobody, whatever it looks like
        (f"churned:{new_id}:2024-05-01 10:00:00", new_id, "basic", ERASED, 1.5),
        (f"referred:{OTHER}", OTHER, new_id, "p", 2.25),
    ]
    assert read(kept, "from marts.totals") == [(ERASED, 3.75)]
    assert read(kept, "from quality.quarantined_rows") == [
        ("payments", "pa1", None),
        ("subscribers", new_id, None),
        ("payments", "pa2", f'{{"payment_id":"pa2","subscriber_id":"{OTHER}"}}'),
    ]
    assert read(kept, "select message from quality.check_results") == [
        (erasure.REMOVED,),
        (f"odd rows: {OTHER}",),
        ("",),
    ]


def test_a_rewritten_release_keeps_its_keys_and_descriptions(
    warehouse: Warehouse, kept: Path
) -> None:
    erase(warehouse)
    assert read(kept, "select comment from duckdb_tables() where table_name = 'people'") == [
        ("One row per person.",)
    ]
    constraints = "select constraint_type from duckdb_constraints() order by 1"
    assert [kind for (kind,) in read(kept, constraints)].count("PRIMARY KEY") == 1


def test_the_receipt_tells_what_was_done_and_not_to_whom(warehouse: Warehouse, kept: Path) -> None:
    erase(warehouse)
    (receipt,) = receipts(warehouse)
    assert receipt["rewritten_releases"] == {
        RELEASE: {
            "marts.events": 1,
            "marts.people": 1,
            "quality.check_results": 1,
            "quality.quarantined_rows": 2,
        }
    }
    (path,) = warehouse.receipts_dir.iterdir()
    assert ERASED not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_erased_is_erased_once(warehouse: Warehouse, kept: Path) -> None:
    erase(warehouse)
    before = kept.read_bytes()
    erase(warehouse)
    assert kept.read_bytes() == before
    assert len(receipts(warehouse)) == 1


@pytest.mark.parametrize("damaged", ["{", "{}", "[]", '{"requests": null}'])
def test_what_a_damaged_receipt_told_of_is_told_once_more(
    warehouse: Warehouse, kept: Path, damaged: str
) -> None:
    erase(warehouse)
    (receipt,) = warehouse.receipts_dir.glob("*.json")
    receipt.write_text(damaged)
    erase(warehouse)
    assert len(list(warehouse.receipts_dir.glob("*.json"))) == 2


def write_release(warehouse: Warehouse, release_id: str, *, as_of: str) -> Path:
    """A release of that horizon in which the id stands, whoever had it."""
    path = warehouse.releases_dir / f"{release_id}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(KEPT_RELEASE)
        connection.execute(
            f"""
            create table quality.releases as
            select '{release_id}' as release_id, timestamp '{as_of}' as as_of
            """
        )
    return path


def test_what_was_released_knowing_of_the_request_is_not_looked_through_again(
    warehouse: Warehouse, kept: Path
) -> None:
    erase(warehouse)
    later = write_release(warehouse, "20250301T000000Z", as_of="2025-03-01")
    before = later.read_bytes()
    erase(warehouse)
    assert later.read_bytes() == before
    assert len(receipts(warehouse)) == 1


def test_a_damaged_release_is_told_since_it_may_tell_the_id(
    warehouse: Warehouse, kept: Path
) -> None:
    damage(kept)
    with pytest.raises(DamagedError, match=f"{kept.name} is damaged: it may still tell erased ids"):
        erase(warehouse)
    assert receipts(warehouse) == []
    kept.unlink()
    erase(warehouse)
    assert len(receipts(warehouse)) == 1


def test_what_was_released_as_of_before_the_request_is_erased_from(
    warehouse: Warehouse, kept: Path
) -> None:
    erase(warehouse)
    later = write_release(warehouse, "20250301T000000Z", as_of="2025-02-01")
    erase(warehouse)
    assert read(later, f"from marts.people where subscriber_id = '{ERASED}'") == []
    assert len(receipts(warehouse)) == 2


def test_a_build_as_of_before_the_request_leaves_nothing_in_the_next(
    warehouse: Warehouse, kept: Path
) -> None:
    """Its release is erased from, so its tables lay in the build's file as well."""
    erase(warehouse)
    write_release(warehouse, "20250301T000000Z", as_of="2025-02-01")
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute(
            """
            create table staging.gone as select 'an id that is no more' as subscriber_id;
            create table staging.people as select range as number from range(100000);
            checkpoint;
            drop table staging.gone;
            """
        )
    assert b"an id that is no more" in warehouse.build_file.read_bytes()
    erase(warehouse)
    assert b"an id that is no more" not in warehouse.build_file.read_bytes()


def test_a_request_that_the_build_quarantined_has_no_receipt(
    warehouse: Warehouse, kept: Path
) -> None:
    """The rows of that subscriber are in quarantine, and nothing was taken out of the build."""
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute(
            f"""
            create schema quality;
            create table quality.quarantined_rows as
            select 'erasure_requests' as table_name, '{ERASED}' as row_key
            """
        )
    before = kept.read_bytes()
    erase(warehouse)
    assert kept.read_bytes() == before
    assert receipts(warehouse) == []
    assert erasure.is_asked(warehouse, Settings.model_validate(KEY))


def test_an_id_with_colons_is_another_as_well(warehouse: Warehouse) -> None:
    old_id = "urn:sub:42"
    path = warehouse.releases_dir / f"{RELEASE}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(KEPT_RELEASE.replace(ERASED, old_id))
        connection.execute(
            f"""
            insert into marts.events values
                ('referred:{old_id}:{old_id}', '{OTHER}', 'x{old_id}', 'p', 3),
                ('referred:{old_id}1', '{OTHER}', '{old_id}1', 'p', 4)
            """
        )
    write_build(warehouse, requested_at="2025-02-01")
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute(f"update raw.erasure_requests set subscriber_id = '{old_id}'")
    erase(warehouse)
    ((new_id,),) = read(
        path, "select subscriber_id from marts.people where signed_up_at = '2024-01-01'"
    )
    assert read(path, "select event_id, detail, plan_id from marts.events order by amount") == [
        (f"churned:{new_id}:2024-05-01 10:00:00", "basic", old_id),
        (f"referred:{OTHER.replace(ERASED, old_id)}", new_id, "p"),
        (f"referred:{new_id}:{new_id}", f"x{old_id}", "p"),
        (f"referred:{old_id}1", f"{old_id}1", "p"),
    ]


def test_a_request_that_comes_late_is_erased_from_what_should_have_known_it(
    warehouse: Warehouse,
) -> None:
    # its file came after the release, whatever time it tells
    earlier = write_release(warehouse, "20250301T000000Z", as_of="2025-03-01")
    write_build(warehouse, requested_at="2025-02-01")
    erase(warehouse)
    assert read(earlier, f"from marts.people where subscriber_id = '{ERASED}'") == []


def test_who_came_after_the_request_keeps_the_old_id(warehouse: Warehouse, kept: Path) -> None:
    """In what was released since it was honoured."""
    write_build(warehouse, requested_at="2023-12-31")
    erase(warehouse)
    honoured = write_release(warehouse, "20250302T000000Z", as_of="2025-03-02")
    before = honoured.read_bytes()
    erase(warehouse)
    assert honoured.read_bytes() == before


@pytest.mark.parametrize("recorded_at", ["2023-12-31", "2025-02-01"])
def test_a_backdated_request_leaves_nothing_of_who_came_back_before_it_was_known(
    warehouse: Warehouse, recorded_at: str
) -> None:
    """The release has what was before the request under the id of whoever came back since.

    `tenure erase --requested-at` writes the time of the request as that of its record.
    """
    earlier = write_release(warehouse, RELEASE, as_of="2025-01-01")
    write_build(warehouse, requested_at="2023-12-31")
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute("update raw.erasure_requests set recorded_at = ?", [recorded_at])
    erase(warehouse)
    assert read(earlier, f"from marts.people where subscriber_id = '{ERASED}'") == []


def test_a_request_that_is_not_known_yet_erases_nothing(warehouse: Warehouse, kept: Path) -> None:
    write_build(warehouse, requested_at="2025-06-01")
    before = kept.read_bytes()
    erase(warehouse)
    assert kept.read_bytes() == before
    assert receipts(warehouse) == []


def test_a_key_is_made_once_for_its_owner_alone(warehouse: Warehouse, kept: Path) -> None:
    erasure.erase_from_kept(warehouse, Settings(hash_key=None), release_id="x")
    key = warehouse.root / ".hash_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) == 2 * erasure.KEY_BYTES
    erasure.erase_from_kept(warehouse, Settings(hash_key=None), release_id="y")
    assert len(receipts(warehouse)) == 1


def test_the_key_is_not_shown() -> None:
    assert KEY["hash_key"] not in repr(Settings.model_validate(KEY))
    assert KEY["hash_key"] not in str(Settings.model_validate(KEY))


@pytest.mark.parametrize("step", ["_replaced", "sync"])
def test_a_kill_in_the_middle_leaves_a_kept_release_whole(
    warehouse: Warehouse, kept: Path, step: str
) -> None:
    before = kept.read_bytes()
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import os, signal
                from pathlib import Path
                from orchestration.releases import erasure
                from orchestration.database.warehouse import Warehouse
                from tests.orchestration.test_erasure import erase
                erasure.{step} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
                erase(Warehouse(Path({str(warehouse.root)!r})))
                """
            ),
        ],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert kept.read_bytes() == before
    assert receipts(warehouse) == []
    erase(warehouse)
    assert read(kept, f"from marts.people where subscriber_id = '{ERASED}'") == []
    assert [path.name for path in warehouse.releases_dir.iterdir()] == [kept.name]


def test_a_request_is_asked_for_until_a_release_has_honoured_it(
    warehouse: Warehouse, kept: Path
) -> None:
    settings = Settings.model_validate(KEY)
    (warehouse.dbt_dir / "dbt.log").write_text(ERASED)
    assert erasure.is_asked(warehouse, settings)
    assert not (warehouse.dbt_dir / "dbt.log").exists()
    warehouse.drop_build()
    assert not warehouse.build_file.exists()
    write_build(warehouse, requested_at="2025-02-01")
    erase(warehouse)
    assert not erasure.is_asked(warehouse, settings)


def test_a_build_that_was_added_to_keeps_nothing_of_what_was_dropped(
    warehouse: Warehouse, kept: Path
) -> None:
    dropped = "an id that is no more"
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute(
            f"""
            create schema bookkeeping;
            create table bookkeeping.build_plans as select '' as ground, true as adds;
            create table staging.gone as select '{dropped}' as subscriber_id;
            create table staging.people as select range as number from range(100000);
            create view staging.some as select * from staging.people where number < 7;
            checkpoint;
            drop table staging.gone;
            """
        )
    assert dropped.encode() in warehouse.build_file.read_bytes()
    (warehouse.root / ".build-copy.duckdb").write_text("of a run that was killed")

    erase(warehouse)

    assert dropped.encode() not in warehouse.build_file.read_bytes()
    assert read(warehouse.build_file, "select count(*) from staging.people") == [(100_000,)]
    assert read(warehouse.build_file, "select count(*) from staging.some") == [(7,)]
    assert not warehouse.build_copy.exists()
    assert len(receipts(warehouse)) == 1


def test_requests_are_a_file_of_the_raw_folder(tmp_path: Path) -> None:
    at = datetime(2025, 1, 2, 3, tzinfo=UTC)
    quoted = "o'hara; drop table x"
    lines = io.StringIO(f" {ERASED}\n\n{quoted}\n{ERASED}\n")
    written = erasure.write_requests(tmp_path, lines, requested_at=at)
    assert written.subscribers == 2
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    assert ERASED not in written.path.name
    with duckdb.connect() as connection:
        rows = connection.execute("from read_parquet(?)", [str(written.path)]).fetchall()
    there = at.replace(tzinfo=None)
    assert rows == [(quoted, there, there), (ERASED, there, there)]


def test_a_request_for_nobody_or_nowhere_is_refused(tmp_path: Path) -> None:
    at = datetime(2025, 1, 2, 3, tzinfo=UTC)
    with pytest.raises(InputError, match="no subscriber is named"):
        erasure.write_requests(tmp_path, [" "], requested_at=at)
    with pytest.raises(InputError, match="does not exist"):
        erasure.write_requests(tmp_path / "none", ["a"], requested_at=at)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not a folder"):
        erasure.write_requests(tmp_path / "file", ["a"], requested_at=at)
    with pytest.raises(InputError, match="no text in UTF-8"):
        erasure.write_requests(tmp_path, ["\udcff\udcfe"], requested_at=at)
    for text in ("tomorrow", "0001-01-01T00:00:00+05:00"):
        with pytest.raises(InputError, match="no instant"):
            erasure.request_time(text)
    with pytest.raises(InputError, match="no run can be as of a later time"):
        erasure.request_time("9999-12-31")


def test_a_request_that_finds_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "quoted_text", lambda _: "'/nowhere/requests.parquet'")
    with pytest.raises(duckdb.IOException):
        erasure.write_requests(tmp_path, ["a"], requested_at=datetime(2025, 1, 2, tzinfo=UTC))
    assert list((tmp_path / "erasure_requests").iterdir()) == []


def test_ids_are_read_from_standard_input(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["erase", "--from-file", "-", "--raw", str(tmp_path)], input=f"{ERASED}\n{OTHER}\n"
    )
    assert result.exit_code == 0
    assert "erase 2 subscribers" in result.output
    assert ERASED not in result.output
