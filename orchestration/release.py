"""Write, audit, publish: puts an audited build before its readers in one step, and back again.

A release is made in a file of its own, proved equal to the build and renamed into place. A reader
holds the whole old release or the whole new one. What a kill leaves half done is undone by the next
call of `recover`.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from orchestration import bookkeeping, erasure
from orchestration.errors import BuildError, DamagedError, Fault, InputError
from orchestration.manifest import RELEASED_SCHEMAS, Manifest, ReleasedTable
from orchestration.restatements import (
    CAUSE_COLUMNS,
    RESTATEMENT_COLUMNS,
    Basis,
    insert_causes,
    insert_restatements,
)
from orchestration.settings import Settings
from orchestration.sql_text import quoted_name, quoted_text
from orchestration.transactions import one_transaction
from orchestration.warehouse import (
    PRIVATE_DIRECTORY,
    STORAGE_VERSION,
    Warehouse,
    disk_full_told,
    private_files,
    sync,
    unreadable_told,
)

KEPT_RELEASES = 5

# a copy needs little, and the build's own memory is still warm beside it
MEMORY_LIMIT = "1GB"

# where the copying puts what its memory does not hold
SPILL = ".spill"

BUILD = "build"
CANDIDATE = "candidate"
EARLIER = "earlier"

PUT_BACK = (
    "`tenure rollback RELEASE` puts another of those that are kept before readers; where none is"
    " whole, remove it, and the next run releases without its history"
)
REMOVED = "remove it, and what it alone tells of earlier releases is lost"

RELEASES = ("quality", "releases")
CHECK_RESULTS = ("quality", "check_results")
RESTATEMENTS = ("quality", "kpi_restatements")
RESTATEMENT_CAUSES = ("quality", "restatement_causes")

RELEASE_COLUMNS: Mapping[str, tuple[str, str]] = {
    "release_id": ("varchar", "Identifies the release: when it was made, UTC. Primary key."),
    "released_at": ("timestamp", "When it was released, UTC."),
    "as_of": ("timestamp", "Knowledge horizon of its figures, UTC."),
    "raw_fingerprint": ("varchar", "Hash of the raw files that it was built from."),
    "raw_files": ("bigint", "Raw files that it was built from."),
    "raw_rows": ("bigint", "Rows in those files."),
    "project_version": ("varchar", "Version of the dbt project that built it."),
    "parameters": ("varchar", "Vars that its figures were made with, as JSON."),
    "row_counts": ("varchar", "Rows of each released table, as JSON."),
}

ProgressNote = Callable[[str], None]


@dataclass(frozen=True)
class Release:
    """A release that readers can get, as its own `quality.releases` tells of it."""

    release_id: str
    released_at: datetime
    as_of: datetime
    raw_fingerprint: str
    project_version: str
    parameters: Mapping[str, Any]
    row_counts: Mapping[str, int]


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
        candidate = _candidate_file(warehouse, release_id)
        try:
            note("copying the marts")
            row_counts = _write_candidate(warehouse, manifest, candidate)
            _write_account(
                warehouse,
                manifest,
                candidate,
                release_id=release_id,
                released_at=released_at,
                project_version=project_version,
                row_counts=row_counts,
            )
            note("comparing the copy with the build")
            _verify(warehouse, manifest, candidate)
            note("writing Parquet copies")
            _export_parquet(warehouse, candidate, release_id, _made_as_parquet(warehouse))
            sync(candidate)
            _link_or_copy(candidate, _kept_file(warehouse, release_id))
            _replace_release(warehouse, candidate)
        except BaseException:
            _undo(warehouse, release_id)
            raise
        with disk_full_told(warehouse.root, released=release_id):
            _switch_parquet(warehouse, release_id)
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
        read_release(_kept_file(warehouse, release_id))
        if not current or current.release_id != release_id:
            try:
                _put_back(warehouse, release_id)
            except BaseException:
                _clear_away(warehouse)
                raise
        with disk_full_told(warehouse.root, released=release_id):
            _restore_parquet(warehouse)
        return read_release(warehouse.release_file)


def _put_back(warehouse: Warehouse, release_id: str) -> None:
    kept = _kept_file(warehouse, release_id)
    # the copies first, which may not find room: a reader of either has the same release
    if not _parquet_dir(warehouse, release_id).exists():
        _export_parquet(warehouse, kept, release_id)
    link = warehouse.root / f".rollback-{release_id}.duckdb"
    link.unlink(missing_ok=True)
    _link_or_copy(kept, link)
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
        _restore_parquet(warehouse)


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


def kept_releases(warehouse: Warehouse) -> list[str]:
    """The ids of the releases that are kept, oldest first."""
    return sorted(path.stem for path in warehouse.releases_dir.glob("[!.]*.duckdb"))


def current_release(warehouse: Warehouse) -> Release | None:
    """The release that readers get now; None before the first."""
    if not warehouse.release_file.exists():
        return None
    return read_release(warehouse.release_file)


def released_since(warehouse: Warehouse, began: datetime) -> Release | None:
    """The release that stands, if it was made since; None too where it can't be read."""
    try:
        current = current_release(warehouse)
    except (BuildError, OSError, duckdb.Error):
        return None
    # a release is told to the second
    since = began.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return current if current and current.released_at >= since else None


def read_release(path: Path) -> Release:
    """What the release in a file tells of itself.

    Raises BuildError where it can't be read.
    """
    with (
        unreadable_told(path, remedy=PUT_BACK),
        duckdb.connect(str(path), read_only=True) as connection,
    ):
        rows = connection.execute(
            "select release_id, released_at, as_of, raw_fingerprint, project_version,"
            f" parameters, row_counts from {quoted_name(*RELEASES)}"
            # its own row was written last, whatever the clock said
            " order by rowid desc limit 1"
        ).fetchall()
    release_id, released_at, as_of, fingerprint, version, parameters, row_counts = rows[0]
    return Release(
        release_id=release_id,
        released_at=released_at,
        as_of=as_of,
        raw_fingerprint=fingerprint,
        project_version=version,
        parameters=json.loads(parameters),
        row_counts=json.loads(row_counts),
    )


def _new_release_id(warehouse: Warehouse, released_at: datetime) -> str:
    base = f"{released_at:%Y%m%dT%H%M%SZ}"
    taken = {*kept_releases(warehouse)}
    current = current_release(warehouse)
    if current:
        taken.add(current.release_id)
    if base not in taken:
        return base
    return next(each for n in range(2, 1000) if (each := f"{base}-{n:03}") not in taken)


def _candidate_file(warehouse: Warehouse, release_id: str) -> Path:
    # in the folder of the release itself: a rename is one step only within a file system
    return warehouse.root / f".release-{release_id}.duckdb"


def _kept_file(warehouse: Warehouse, release_id: str) -> Path:
    return warehouse.releases_dir / f"{release_id}.duckdb"


def _parquet_dir(warehouse: Warehouse, release_id: str) -> Path:
    return warehouse.releases_dir / f"{release_id}.parquet"


@contextmanager
def _attached(warehouse: Warehouse, **databases: tuple[Path, str]) -> Iterator[Any]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(warehouse.root / SPILL),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        for catalog, (path, options) in databases.items():
            connection.execute(
                f"attach {quoted_text(str(path))} as {quoted_name(catalog)}"
                + (f" ({options})" if options else "")
            )
        yield connection


def _write_candidate(
    warehouse: Warehouse,
    manifest: Manifest,
    candidate: Path,
) -> dict[str, int]:
    """Copies the released tables into a new file; returns the rows of each."""
    storage = f"storage_version {quoted_text(STORAGE_VERSION)}"
    with _attached(
        warehouse, build=(warehouse.build_file, "read_only"), candidate=(candidate, storage)
    ) as connection:
        missing = bookkeeping.RELEASABLE - bookkeeping.completed_steps(connection, catalog=BUILD)
        if missing:
            raise BuildError(
                f"the {' and the '.join(sorted(missing))} of this data did not pass,"
                " so it can't be released: run the whole job, or `tenure run`"
            )
        for schema in RELEASED_SCHEMAS:
            connection.execute(f"create schema {quoted_name(CANDIDATE, schema)}")
        row_counts = {}
        for table in manifest.released_tables():
            rows = _copy_table(connection, table)
            row_counts[f"{table.schema}.{table.name}"] = rows
    return row_counts


def _write_account(
    warehouse: Warehouse,
    manifest: Manifest,
    candidate: Path,
    *,
    release_id: str,
    released_at: datetime,
    project_version: str,
    row_counts: Mapping[str, int],
) -> None:
    """Adds what the release tells of itself: its checks, all releases, and what they restated."""
    with _attached(
        warehouse, build=(warehouse.build_file, "read_only"), candidate=(candidate, "")
    ) as connection:
        _write_check_results(connection)
        releases = "One row per release, this one and all before it."
        target = _create_history(connection, warehouse, RELEASES, releases, RELEASE_COLUMNS)
        landing = bookkeeping.read_landing(connection, catalog=BUILD)
        connection.execute(
            f"insert into {target} values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                release_id,
                released_at,
                bookkeeping.knowledge_horizon(connection, catalog=BUILD),
                landing.raw_fingerprint,
                landing.raw_files,
                landing.raw_rows,
                project_version,
                json.dumps(dict(landing.parameters), sort_keys=True),
                json.dumps(dict(row_counts), sort_keys=True),
            ],
        )
        _write_restatements(
            connection,
            warehouse,
            manifest,
            release_id=release_id,
            released_at=released_at,
            project_version=project_version,
        )
        connection.execute(f"checkpoint {quoted_name(CANDIDATE)}")


def _copy_table(connection: duckdb.DuckDBPyConnection, table: ReleasedTable) -> int:
    columns = connection.execute(
        "select column_name, data_type, is_nullable from duckdb_columns()"
        " where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [BUILD, table.schema, table.name],
    ).fetchall()
    if not columns:
        raise BuildError(
            f"{table.schema}.{table.name} is not in the build: run `tenure run --full-refresh`"
        )
    definitions = [
        f"{quoted_name(name)} {kind}{'' if is_nullable else ' not null'}"
        for name, kind, is_nullable in columns
    ]
    if table.primary_key:
        key = ", ".join(quoted_name(name) for name in table.primary_key)
        definitions.append(f"primary key ({key})")
    target = quoted_name(CANDIDATE, table.schema, table.name)
    source = quoted_name(BUILD, table.schema, table.name)
    names = {name for name, _, _ in columns}
    with one_transaction(connection):
        connection.execute(f"create table {target} ({', '.join(definitions)})")
        ((rows,),) = connection.execute(f"insert into {target} select * from {source}").fetchall()
        _describe(
            connection,
            (table.schema, table.name),
            table.description,
            {name: text for name, text in table.column_descriptions.items() if name in names},
        )
    return int(rows)


def _describe(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    description: str,
    columns: Mapping[str, str],
) -> None:
    target = quoted_name(CANDIDATE, *table)
    connection.execute(f"comment on table {target} is {quoted_text(description)}")
    for name, text in columns.items():
        connection.execute(f"comment on column {target}.{quoted_name(name)} is {quoted_text(text)}")


def _create_described(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    description: str,
    columns: Mapping[str, tuple[str, str]],
) -> None:
    definitions = ", ".join(f"{quoted_name(name)} {kind}" for name, (kind, _) in columns.items())
    texts = {name: text for name, (_, text) in columns.items()}
    with one_transaction(connection):
        connection.execute(f"create table {quoted_name(CANDIDATE, *table)} ({definitions})")
        _describe(connection, table, description, texts)


def _write_check_results(connection: duckdb.DuckDBPyConnection) -> None:
    description = (
        "One row per check of the run that made this release, data tests and expectations."
    )
    _create_described(connection, CHECK_RESULTS, description, bookkeeping.CHECK_COLUMNS)
    connection.execute(
        f"insert into {quoted_name(CANDIDATE, *CHECK_RESULTS)}"
        f" select * from {quoted_name(BUILD)}.{bookkeeping.CHECKS}"
        " order by kind, suite, table_name, check_name"
    )


def _write_restatements(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    manifest: Manifest,
    *,
    release_id: str,
    released_at: datetime,
    project_version: str,
) -> None:
    description = (
        "One row per release, headline figure and month that was over in the release before it:"
        " what the figure was and what it is, where it changed."
    )
    target = _create_history(connection, warehouse, RESTATEMENTS, description, RESTATEMENT_COLUMNS)
    description = (
        "One row per release, month of which it changed a headline figure, and what can have"
        " changed it: raw rows by table, parameters, the project."
    )
    causes = _create_history(connection, warehouse, RESTATEMENT_CAUSES, description, CAUSE_COLUMNS)
    as_of = bookkeeping.knowledge_horizon(connection, catalog=BUILD)
    if not as_of or not warehouse.release_file.exists():
        return
    previous = read_release(warehouse.release_file)
    landing = bookkeeping.read_landing(connection, catalog=BUILD)
    with _earlier_release(connection, warehouse.release_file):
        insert_restatements(
            connection,
            manifest.headline_figures(),
            target=target,
            catalog=CANDIDATE,
            earlier=EARLIER,
            release_id=release_id,
            previous_release_id=previous.release_id,
            as_of=as_of,
            previous_as_of=previous.as_of,
            restated_at=released_at,
        )
        insert_causes(
            connection,
            manifest.raw_events(),
            target=causes,
            restatements=target,
            build=BUILD,
            earlier=EARLIER,
            release_id=release_id,
            now=Basis(as_of, landing.raw_fingerprint, project_version, landing.parameters),
            before=Basis(
                previous.as_of,
                previous.raw_fingerprint,
                previous.project_version,
                previous.parameters,
            ),
        )


@contextmanager
def _earlier_release(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    with unreadable_told(path, remedy=REMOVED):
        connection.execute(f"attach {quoted_text(str(path))} as {quoted_name(EARLIER)} (read_only)")
    try:
        yield
    finally:
        connection.execute(f"detach {quoted_name(EARLIER)}")


def _create_history(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    table: tuple[str, str],
    description: str,
    columns: Mapping[str, tuple[str, str]],
) -> str:
    """Makes a table that goes on from release to release, with what came before; its name."""
    _create_described(connection, table, description, columns)
    target = quoted_name(CANDIDATE, *table)
    # after a rollback the release that stands knows nothing of those after it; the kept ones do
    kept = [_kept_file(warehouse, each) for each in kept_releases(warehouse)]
    for path in [*kept, warehouse.release_file]:
        if path.exists():
            with _earlier_release(connection, path):
                _carry_on(connection, table, target, columns)
    return target


def _carry_on(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    target: str,
    columns: Mapping[str, tuple[str, str]],
) -> None:
    earlier = quoted_name(EARLIER, *table)
    present = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ?"
        " and table_name = ? order by column_index",
        [EARLIER, *table],
    ).fetchall()
    # an earlier version of this program may have noted more or less, or nothing
    names = ", ".join(quoted_name(name) for (name,) in present if name in columns)
    if names:
        connection.execute(
            f"insert into {target} by name select {names} from {earlier}"
            f" where release_id not in (select release_id from {target}) order by release_id"
        )


def _verify(warehouse: Warehouse, manifest: Manifest, candidate: Path) -> None:
    with _attached(
        warehouse, build=(warehouse.build_file, "read_only"), candidate=(candidate, "read_only")
    ) as connection:
        for table in manifest.released_tables():
            built, copied = (
                connection.execute(
                    "select count(*), coalesce(sum(hash(row_of)), 0)"
                    f" from {quoted_name(catalog, table.schema, table.name)} as row_of"
                ).fetchall()
                for catalog in (BUILD, CANDIDATE)
            )
            if built != copied:
                raise BuildError(
                    f"the copy of {table.schema}.{table.name} is not equal to the build"
                    f" ({copied[0][0]} rows of {built[0][0]}): nothing was released."
                    " Check the disk, then run again."
                )


def _made_as_parquet(warehouse: Warehouse) -> Mapping[tuple[str, str], Path]:
    """The folders of those tables of the build that are Parquet already, since Spark made them."""
    with _attached(warehouse, build=(warehouse.build_file, "read_only")) as connection:
        return bookkeeping.read_folders(connection, catalog=BUILD)


def _link_folder(source: Path, target: Path) -> None:
    """Has the files of a folder, and of its partitions, under another name as well."""
    for file in sorted(source.rglob("*.parquet")):
        linked = target / file.relative_to(source)
        linked.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        _link_or_copy(file, linked)


def _export_parquet(
    warehouse: Warehouse,
    database: Path,
    release_id: str,
    made: Mapping[tuple[str, str], Path] = MappingProxyType({}),
) -> None:
    """Writes the tables of a release as Parquet; `made` are folders that are so already."""
    target = _parquet_dir(warehouse, release_id)
    unfinished = warehouse.releases_dir / f".{release_id}.parquet"
    shutil.rmtree(unfinished, ignore_errors=True)
    with _attached(warehouse, candidate=(database, "read_only")) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ?",
            [CANDIDATE],
        ).fetchall()
        for schema, table in tables:
            path = unfinished / schema / f"{table}.parquet"
            path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            if (schema, table) in made:
                _link_folder(made[schema, table], path)
                continue
            connection.execute(
                f"copy {quoted_name(CANDIDATE, schema, table)} to {quoted_text(str(path))}"
                " (format parquet, compression zstd)"
            )
    unfinished.rename(target)


def _replace_release(warehouse: Warehouse, path: Path) -> None:
    # a log beside the release could only be of a stranger who wrote to it; it fits no other file
    warehouse.release_file.with_name(warehouse.release_file.name + ".wal").unlink(missing_ok=True)
    path.replace(warehouse.release_file)
    sync(warehouse.root)


def _switch_parquet(warehouse: Warehouse, release_id: str) -> None:
    link = warehouse.root / f".parquet-{release_id}"
    link.unlink(missing_ok=True)
    target = _parquet_dir(warehouse, release_id)
    link.symlink_to(target.relative_to(warehouse.root))
    link.replace(warehouse.parquet_link)
    for other in warehouse.releases_dir.glob("[!.]*.parquet"):
        if other != target:
            shutil.rmtree(other)


def _restore_parquet(warehouse: Warehouse) -> None:
    release_id = read_release(warehouse.release_file).release_id
    if not _parquet_dir(warehouse, release_id).exists():
        _export_parquet(warehouse, warehouse.release_file, release_id)
    if not _links_to(warehouse.parquet_link, _parquet_dir(warehouse, release_id)):
        _switch_parquet(warehouse, release_id)


def _links_to(link: Path, target: Path) -> bool:
    return link.is_symlink() and link.resolve() == target.resolve()


def _undo(warehouse: Warehouse, release_id: str) -> None:
    candidate = _candidate_file(warehouse, release_id)
    kept = _kept_file(warehouse, release_id)
    if candidate.exists():
        # it was never renamed, so no reader has seen it
        kept.unlink(missing_ok=True)
        shutil.rmtree(_parquet_dir(warehouse, release_id), ignore_errors=True)
    candidate.unlink(missing_ok=True)
    candidate.with_name(candidate.name + ".wal").unlink(missing_ok=True)
    shutil.rmtree(warehouse.releases_dir / f".{release_id}.parquet", ignore_errors=True)


def _prune(warehouse: Warehouse) -> None:
    for release_id in kept_releases(warehouse)[:-KEPT_RELEASES]:
        _kept_file(warehouse, release_id).unlink(missing_ok=True)


def _no_such_release(release_id: str | None, kept: list[str], current: Release | None) -> Fault:
    standing = current.release_id if current else None
    listed = ", ".join(f"{each} (current)" if each == standing else each for each in kept)
    if release_id is None:
        what = "there is no release before the current one"
    else:
        what = f"there is no release {release_id!r}"
    return Fault(what, f"Name one of those kept: {listed or 'none yet'}")


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # a file system without hard links
        shutil.copyfile(source, target)
        sync(target)
