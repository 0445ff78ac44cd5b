"""Releases are whole or not at all, are kept, and can be taken back."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.database import bookkeeping
from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, DamagedError, InputError
from orchestration.releases import candidate, erasure, release
from orchestration.releases.kept import Release, kept_releases
from orchestration.transform.manifest import Manifest
from tests.orchestration.samples import damage

START = datetime(2026, 1, 1, 6, tzinfo=UTC)

MANIFEST = Manifest(
    {
        "nodes": {
            "model.tenure.totals": {
                "unique_id": "model.tenure.totals",
                "resource_type": "model",
                "config": {"materialized": "table"},
                "schema": "marts",
                "alias": "totals",
                "description": "One row per total.",
                "columns": {"total": {"description": "A total.", "constraints": []}},
                "constraints": [],
            }
        },
        "sources": {},
    }
)


def build(warehouse: Warehouse, total: int, *, steps: tuple[str, ...] = ("build", "audit")) -> None:
    """Leaves what a run leaves before it releases: a mart, a clock and its books."""
    warehouse.prepare()
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute("create schema if not exists staging")
        connection.execute("create schema if not exists quality")
        connection.execute(f"create or replace table marts.totals as select {total} as total")
        connection.execute("create or replace table marts.left_over as select 1 as one")
        connection.execute(
            "create or replace table staging.stg_clock as select timestamp '2026-01-01' as as_of"
        )
        bookkeeping.note_landing(
            connection,
            bookkeeping.Landing("hash", 1, 1, {"reporting_currency": "EUR"}, START),
        )
        for step in steps:
            bookkeeping.note_step(connection, step)


def publish(warehouse: Warehouse, total: int) -> Release:
    """Builds and releases a total; each release is a second later than the one before."""
    build(warehouse, total)
    released_at = START + timedelta(seconds=total)
    return release.publish(warehouse, MANIFEST, project_version="1.2.3", released_at=released_at)


def total_of(warehouse: Warehouse) -> int:
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        ((total,),) = connection.execute("select total from marts.totals").fetchall()
    return int(total)


def parquet_total_of(warehouse: Warehouse) -> int:
    path = warehouse.parquet_link / "marts" / "totals.parquet"
    with duckdb.connect() as connection:
        ((total,),) = connection.execute("from read_parquet(?)", [str(path)]).fetchall()
    return int(total)


def hidden_files(warehouse: Warehouse) -> list[str]:
    found = (*warehouse.root.glob(".*"), *warehouse.releases_dir.glob(".*"))
    return sorted(path.name for path in found if path.suffix != ".lock")


def test_a_reader_keeps_the_release_that_it_opened(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import duckdb, sys
                connection = duckdb.connect({str(warehouse.release_file)!r}, read_only=True)
                print("open", flush=True)
                sys.stdin.readline()
                print(connection.execute("select total from marts.totals").fetchall()[0][0])
                """
            ),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "open\n"
    publish(warehouse, 2)
    told, _ = reader.communicate("go on\n", timeout=60)
    assert told == "1\n"
    assert total_of(warehouse) == 2


def test_earlier_releases_are_kept_and_told(warehouse: Warehouse) -> None:
    for total in range(1, 8):
        publish(warehouse, total)
    assert kept_releases(warehouse) == [f"20260101T06000{total}Z" for total in range(3, 8)]
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        told = connection.execute("select release_id from quality.releases order by 1").fetchall()
    assert told == [(f"20260101T06000{total}Z",) for total in range(1, 8)]
    parquet_folders = [path.name for path in warehouse.releases_dir.glob("*.parquet")]
    assert parquet_folders == ["20260101T060007Z.parquet"]


def test_only_what_the_project_has_is_released(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by 1").fetchall()
    written = ("check_results", "kpi_restatements", "releases", "restatement_causes")
    assert tables == [(name,) for name in (*written, "totals")]


def test_two_releases_in_one_second(warehouse: Warehouse) -> None:
    first, second = publish(warehouse, 1), publish(warehouse, 1)
    assert (first.release_id, second.release_id) == ("20260101T060001Z", "20260101T060001Z-002")


def test_rollback_and_forward(warehouse: Warehouse) -> None:
    first, second, third = (publish(warehouse, total) for total in (1, 2, 3))
    assert release.rollback(warehouse, None) == second
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (2, 2)
    assert release.rollback(warehouse, first.release_id) == first
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (1, 1)
    assert release.rollback(warehouse, third.release_id) == third
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (3, 3)
    assert len(kept_releases(warehouse)) == 3
    assert hidden_files(warehouse) == []


def test_a_release_after_a_rollback_knows_of_what_was_taken_back(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    publish(warehouse, 2)
    release.rollback(warehouse, None)
    publish(warehouse, 3)
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        told = connection.execute("select release_id from quality.releases order by 1").fetchall()
    assert told == [("20260101T060001Z",), ("20260101T060002Z",), ("20260101T060003Z",)]


def test_rollback_to_an_unknown_release_lists_the_kept(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    for wish in (None, "20200101T000000Z", "../tenure"):
        with pytest.raises(InputError, match=r"20260101T060001Z \(current\)"):
            release.rollback(warehouse, wish)
    assert total_of(warehouse) == 1


def test_a_damaged_release_is_told_and_another_can_be_put_back(warehouse: Warehouse) -> None:
    first, second, third = (publish(warehouse, total) for total in (1, 2, 3))
    # the kept one is the same file
    damage(warehouse.release_file)
    for work in (lambda: publish(warehouse, 4), lambda: release.rollback(warehouse, None)):
        with pytest.raises(DamagedError, match=r"tenure\.duckdb is damaged.*`tenure rollback"):
            work()
    with pytest.raises(DamagedError, match=f"{third.release_id}.duckdb is damaged"):
        release.rollback(warehouse, third.release_id)
    assert release.rollback(warehouse, second.release_id) == second
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (2, 2)
    # what was taken back has a place in the history of the next
    with pytest.raises(DamagedError, match=f"{third.release_id}.duckdb is damaged: remove it"):
        publish(warehouse, 5)
    (warehouse.releases_dir / f"{third.release_id}.duckdb").unlink()
    publish(warehouse, 6)
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (6, 6)
    assert first.release_id in kept_releases(warehouse)


def test_a_release_that_another_program_writes_to_is_told(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    holds = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    command = [sys.executable, "-c", holds, str(warehouse.release_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"1\n"
        with pytest.raises(BuildError, match=r"tenure\.duckdb is open in another program"):
            publish(warehouse, 2)
        holder.communicate(b"\n")
    publish(warehouse, 3)
    assert total_of(warehouse) == 3


def test_rollback_before_the_first_release(warehouse: Warehouse) -> None:
    with pytest.raises(InputError, match="none yet"):
        release.rollback(warehouse, None)


@pytest.mark.parametrize("steps", [(), ("build",), ("audit",)])
def test_nothing_is_released_that_was_not_built_and_audited(
    warehouse: Warehouse, steps: tuple[str, ...]
) -> None:
    publish(warehouse, 1)
    build(warehouse, 2, steps=steps)
    with pytest.raises(BuildError, match="did not pass"):
        release.publish(warehouse, MANIFEST, project_version="1", released_at=START)
    assert total_of(warehouse) == 1
    assert hidden_files(warehouse) == []


def test_a_copy_that_differs_is_not_released(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, 1)
    write_candidate = candidate.write_candidate

    def write_wrongly(place: Warehouse, manifest: Manifest, copy: Path) -> dict[str, int]:
        row_counts = write_candidate(place, manifest, copy)
        with duckdb.connect(str(copy)) as connection:
            connection.execute("update marts.totals set total = total + 1")
        return row_counts

    monkeypatch.setattr(release, "write_candidate", write_wrongly)
    with pytest.raises(BuildError, match=r"marts\.totals is not equal"):
        publish(warehouse, 2)
    assert total_of(warehouse) == 1
    assert hidden_files(warehouse) == []


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("candidate._copy_table", duckdb.IOException("Could not write: No space left on device")),
        ("release.export_parquet", duckdb.IOException("Could not write: No space left on device")),
        ("release.sync", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
        ("release._replace_release", OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))),
    ],
)
def test_a_full_disk_is_told_and_releases_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    publish(warehouse, 1)

    def run_full(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(f"orchestration.releases.{step}", run_full)
        with pytest.raises(BuildError, match="is full") as broke:
            publish(warehouse, 2)
    assert broke.value.exit_status == 1
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (1, 1)
    assert hidden_files(warehouse) == []
    assert len(kept_releases(warehouse)) == 1
    publish(warehouse, 3)
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (3, 3)


def test_a_disk_that_is_full_after_the_release_is_told_as_that(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing from kept releases takes the most room, and by then readers have the new one."""
    publish(warehouse, 1)

    def run_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erase_from_kept", run_full)
        with pytest.raises(BuildError, match=r"is full\. Release \w+ stands"):
            publish(warehouse, 2)
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (2, 2)


def test_a_disk_that_is_full_in_a_rollback_leaves_readers_what_they_had(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, 1)
    publish(warehouse, 2)

    def run_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step, stands in (
        ("release.export_parquet", 2),
        ("release._replace_release", 2),
        ("parquet_copies.switch_parquet", 1),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(f"orchestration.releases.{step}", run_full)
            with pytest.raises(BuildError, match="is full") as broke:
                release.rollback(warehouse, None)
        assert ("the last release stands" in str(broke.value)) == (stands == 2)
        assert total_of(warehouse) == stands
        assert hidden_files(warehouse) == []
    release.rollback(warehouse, "20260101T060001Z")
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (1, 1)


def test_a_folder_where_the_link_to_the_copies_should_be_is_told(warehouse: Warehouse) -> None:
    """As of a backup that was put back and had followed links."""
    publish(warehouse, 1)
    publish(warehouse, 2)
    warehouse.parquet_link.unlink()
    warehouse.parquet_link.mkdir()
    for work in (lambda: publish(warehouse, 3), lambda: release.rollback(warehouse, None)):
        with pytest.raises(InputError, match=r"parquet is not the link.*Move it away"):
            work()
        assert total_of(warehouse) == 2
    warehouse.parquet_link.rmdir()
    release.rollback(warehouse, None)
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (1, 1)


def test_a_file_where_the_warehouse_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for place in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(InputError, match="is no folder"):
            Warehouse(place).prepare()


@pytest.mark.parametrize(
    ("step", "left_standing"),
    [
        ("candidate._copy_table", 1),
        ("release.write_account", 1),
        ("release.verify", 1),
        ("release.export_parquet", 1),
        ("release.sync", 1),
        ("release.link_or_copy", 1),
        ("release._replace_release", 1),
        ("release.switch_parquet", 2),
        ("release._prune", 2),
    ],
)
def test_a_kill_leaves_a_release_and_the_next_run_mends_the_rest(
    warehouse: Warehouse, step: str, left_standing: int
) -> None:
    publish(warehouse, 1)
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import os, signal
                from pathlib import Path
                from orchestration.releases import candidate, release
                from orchestration.database.warehouse import Warehouse
                from tests.orchestration.test_release import publish

                def die(*arguments, **named):
                    os.kill(os.getpid(), signal.SIGKILL)

                {step} = die
                publish(Warehouse(Path({str(warehouse.root)!r})), 2)
                """
            ),
        ],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert total_of(warehouse) == left_standing
    assert parquet_total_of(warehouse) in {1, left_standing}
    release.recover(warehouse)
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (left_standing, left_standing)
    assert hidden_files(warehouse) == []
    assert len(kept_releases(warehouse)) == left_standing
    publish(warehouse, 3)
    assert (total_of(warehouse), parquet_total_of(warehouse)) == (3, 3)


def test_what_a_killed_build_spilled_to_disk_is_taken_away(warehouse: Warehouse) -> None:
    """By the next release, and not by a rollback while a build goes on."""
    publish(warehouse, 1)
    publish(warehouse, 2)
    warehouse.spilled.mkdir()
    (warehouse.spilled / "duckdb_temp_storage-0.tmp").write_bytes(b"rows")
    release.rollback(warehouse, None)
    assert warehouse.spilled.exists()
    publish(warehouse, 3)
    assert not warehouse.spilled.exists()


def test_what_a_killed_erasure_spilled_to_disk_is_taken_away(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    spills = [folder / erasure.SPILL for folder in (warehouse.root, warehouse.releases_dir)]
    for spill in spills:
        spill.mkdir()
        (spill / "duckdb_temp_storage-0.tmp").write_bytes(b"rows")
    publish(warehouse, 2)
    assert not any(spill.exists() for spill in spills)


def test_a_file_system_without_hard_links(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    publish(warehouse, 1)
    publish(warehouse, 2)
    release.rollback(warehouse, None)
    assert total_of(warehouse) == 1
    release.rollback(warehouse, "20260101T060002Z")
    assert total_of(warehouse) == 2


def test_an_old_client_can_read_a_release(warehouse: Warehouse) -> None:
    publish(warehouse, 1)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse.release_file}' as released (read_only)")
        ((tags,),) = connection.execute(
            "select tags from duckdb_databases() where database_name = 'released'"
        ).fetchall()
    assert tags["storage_version"].startswith("v1.0.0")


def test_releases_of_an_earlier_version_with_other_columns_are_carried_on(
    warehouse: Warehouse,
) -> None:
    publish(warehouse, 1)
    for path in (warehouse.releases_dir / "20260101T060001Z.duckdb", warehouse.release_file):
        with duckdb.connect(str(path)) as connection:
            connection.execute("alter table quality.releases drop column if exists raw_files")
            connection.execute("alter table quality.releases add column if not exists old int")
    publish(warehouse, 2)
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        told = connection.execute(
            "select release_id, raw_files from quality.releases order by 1"
        ).fetchall()
    assert told == [("20260101T060001Z", None), ("20260101T060002Z", 1)]
