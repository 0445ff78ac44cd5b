"""Write, audit, publish: puts an audited build before its readers in one step, and back again.

A release is made in a file of its own, proved equal to the build and renamed into place. A reader
holds the whole old release or the whole new one. What a kill leaves half done is undone by the next
call of `recover`.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from orchestration.database.warehouse import (
    Warehouse,
    disk_full_told,
    private_files,
    sync,
)
from orchestration.errors import DamagedError, Fault, InputError
from orchestration.releases import erasure
from orchestration.releases.candidate import SPILL, verify, write_account, write_candidate
from orchestration.releases.kept import (
    KEPT_RELEASES,
    Release,
    candidate_file,
    current_release,
    kept_file,
    kept_releases,
    link_or_copy,
    parquet_dir,
    read_release,
)
from orchestration.releases.parquet_copies import (
    export_parquet,
    made_as_parquet,
    restore_parquet,
    switch_parquet,
)
from orchestration.settings import Settings
from orchestration.transform.manifest import Manifest

ProgressNote = Callable[[str], None]


def publish(
    warehouse: Warehouse,
    manifest: Manifest,
    *,
    project_version: str,
    released_at: datetime,
    note: ProgressNote = lambda _: None,
) -> Release:
    """Releases what stands in the build's database and returns what was released.

    Raises BuildError if the build was not completed and audited, if the copy is not equal to the
    build, or if the disk is full; then nothing has changed for readers. Where the disk runs full
    after the release was put in place, the error says that it stands.
    """
    released_at = released_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    with private_files(), warehouse.release_lock(), disk_full_told(warehouse.root):
        recover(warehouse, builds=True)
        release_id = _new_release_id(warehouse, released_at)
        candidate = candidate_file(warehouse, release_id)
        try:
            note("copying the marts")
            row_counts = write_candidate(warehouse, manifest, candidate)
            write_account(
                warehouse,
                manifest,
                candidate,
                release_id=release_id,
                released_at=released_at,
                project_version=project_version,
                row_counts=row_counts,
            )
            note("comparing the copy with the build")
            verify(warehouse, manifest, candidate)
            note("writing Parquet copies")
            export_parquet(warehouse, candidate, release_id, made_as_parquet(warehouse))
            sync(candidate)
            link_or_copy(candidate, kept_file(warehouse, release_id))
            _replace_release(warehouse, candidate)
        except BaseException:
            _undo(warehouse, release_id)
            raise
        with disk_full_told(warehouse.root, released=release_id):
            switch_parquet(warehouse, release_id)
            _prune(warehouse)
            erasure.erase_from_kept(warehouse, Settings(), release_id=release_id)
        return read_release(warehouse.release_file)


def rollback(warehouse: Warehouse, release_id: str | None) -> Release:
    """Puts a kept release back before readers: the one named, else the one before the current.

    Raises InputError with the list of what is kept where there is no such release, or no warehouse.
    Where the disk is full, the error says which release stands.
    """
    warehouse.check_is_there()
    with private_files(), warehouse.release_lock(), disk_full_told(warehouse.root):
        _expect_link(warehouse)
        _clear_away(warehouse)
        kept = kept_releases(warehouse)
        try:
            current = current_release(warehouse)
        except DamagedError:
            # nobody can say what came before a damaged one, but whoever names one may have it
            if release_id is None:
                raise
            current = None
        if release_id is None:
            earlier = [each for each in kept if current and each < current.release_id]
            release_id = max(earlier, default=None)
        if release_id is None or release_id not in kept:
            raise InputError((_no_such_release(release_id, kept, current),))
        read_release(kept_file(warehouse, release_id))
        if not current or current.release_id != release_id:
            try:
                _put_back(warehouse, release_id)
            except BaseException:
                _clear_away(warehouse)
                raise
        with disk_full_told(warehouse.root, released=release_id):
            restore_parquet(warehouse)
        return read_release(warehouse.release_file)


def _put_back(warehouse: Warehouse, release_id: str) -> None:
    kept = kept_file(warehouse, release_id)
    # the copies first, which may not find room: a reader of either has the same release
    if not parquet_dir(warehouse, release_id).exists():
        export_parquet(warehouse, kept, release_id)
    link = warehouse.root / f".rollback-{release_id}.duckdb"
    link.unlink(missing_ok=True)
    link_or_copy(kept, link)
    _replace_release(warehouse, link)


def recover(warehouse: Warehouse, *, builds: bool = False) -> None:
    """Takes away what a killed run or rollback left, and mends the Parquet copies.

    `builds` is for who holds the right to build: what a build spills is another's until then.
    """
    _expect_link(warehouse)
    if builds:
        shutil.rmtree(warehouse.spilled, ignore_errors=True)
    _clear_away(warehouse)
    if warehouse.release_file.exists():
        restore_parquet(warehouse)


def _expect_link(warehouse: Warehouse) -> None:
    # as of a backup that followed links; after the release it would be too late to say so
    link = warehouse.parquet_link
    if link.exists() and not link.is_symlink():
        what = f"{link} is not the link to a release's Parquet copies that stands there"
        raise InputError((Fault(what, "Move it away, and the copies are made anew"),))


def _clear_away(warehouse: Warehouse) -> None:
    for leftover in warehouse.root.glob(".release-*.duckdb"):
        _undo(warehouse, leftover.stem.removeprefix(".release-"))
    # they spill into a folder of a name like theirs
    for folder in (warehouse.root, warehouse.releases_dir):
        shutil.rmtree(folder / erasure.SPILL, ignore_errors=True)
    for leftover in (
        *warehouse.root.glob(".release-*.wal"),
        *warehouse.root.glob(".rollback-*"),
        *warehouse.root.glob(f"{warehouse.build_copy.name}*"),
        *warehouse.root.glob(".parquet-*"),
        *warehouse.releases_dir.glob(".erased-*"),
    ):
        leftover.unlink(missing_ok=True)
    for leftover in (
        *warehouse.releases_dir.glob(".*.parquet"),
        warehouse.root / SPILL,
    ):
        shutil.rmtree(leftover, ignore_errors=True)


def _new_release_id(warehouse: Warehouse, released_at: datetime) -> str:
    base = f"{released_at:%Y%m%dT%H%M%SZ}"
    taken = {*kept_releases(warehouse)}
    current = current_release(warehouse)
    if current:
        taken.add(current.release_id)
    if base not in taken:
        return base
    return next(each for n in range(2, 1000) if (each := f"{base}-{n:03}") not in taken)


def _replace_release(warehouse: Warehouse, path: Path) -> None:
    # a log beside the release could only be of a stranger who wrote to it; it fits no other file
    warehouse.release_file.with_name(warehouse.release_file.name + ".wal").unlink(missing_ok=True)
    path.replace(warehouse.release_file)
    sync(warehouse.root)


def _undo(warehouse: Warehouse, release_id: str) -> None:
    candidate = candidate_file(warehouse, release_id)
    kept = kept_file(warehouse, release_id)
    if candidate.exists():
        # it was never renamed, so no reader has seen it
        kept.unlink(missing_ok=True)
        shutil.rmtree(parquet_dir(warehouse, release_id), ignore_errors=True)
    candidate.unlink(missing_ok=True)
    candidate.with_name(candidate.name + ".wal").unlink(missing_ok=True)
    shutil.rmtree(warehouse.releases_dir / f".{release_id}.parquet", ignore_errors=True)


def _prune(warehouse: Warehouse) -> None:
    for release_id in kept_releases(warehouse)[:-KEPT_RELEASES]:
        kept_file(warehouse, release_id).unlink(missing_ok=True)


def _no_such_release(release_id: str | None, kept: list[str], current: Release | None) -> Fault:
    standing = current.release_id if current else None
    listed = ", ".join(f"{each} (current)" if each == standing else each for each in kept)
    if release_id is None:
        what = "there is no release before the current one"
    else:
        what = f"there is no release {release_id!r}"
    return Fault(what, f"Name one of those kept: {listed or 'none yet'}")
