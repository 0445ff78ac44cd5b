"""The folder that a build writes to and readers read from: its paths, its rights and its locks."""

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from orchestration.errors import FULL, BuildError, DamagedError, Fault, InputError

# what is in here is personal enough to be its owner's alone
PRIVATE_UMASK = 0o077
PRIVATE_DIRECTORY = 0o700

# every client since DuckDB 1.0 reads it; those of BI tools lag behind by years
STORAGE_VERSION = "v1.0.0"

# what the engine says of a database that another program writes to
LOCKED = "Could not set lock on file"

# and of a file that is no database any more, or only a part of one
DAMAGED = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Could not read enough bytes",
    "Could not read all bytes",
)
REBUILT = "`tenure run --full-refresh` makes it anew"


@dataclass(frozen=True)
class Warehouse:
    """Paths of a warehouse; nothing is made before `prepare`."""

    root: Path

    @property
    def option(self) -> str:
        """The option of a command that names it, for a shell."""
        return f"--warehouse {shlex.quote(str(self.root))}"

    @property
    def build_file(self) -> Path:
        """The database in which everything is built; nobody's but the build's."""
        return self.root / "build.duckdb"

    def drop_build(self) -> None:
        """Removes the build's database, with what lies in its free blocks."""
        for path in (self.build_file, self.build_file.with_name(f"{self.build_file.name}.wal")):
            path.unlink(missing_ok=True)

    @property
    def build_copy(self) -> Path:
        """The copy of the build's database that is to take its place."""
        return self.root / ".build-copy.duckdb"

    @property
    def spilled(self) -> Path:
        """Where the engine puts, while it builds, what does not fit into its share of memory."""
        return self.root / "build.duckdb.tmp"

    @property
    def release_file(self) -> Path:
        """The release that readers open; replaced whole, never changed."""
        return self.root / "tenure.duckdb"

    @property
    def spark_dir(self) -> Path:
        """What Spark builds where it is the engine: its tables and the catalog of them."""
        return self.root / "spark"

    @property
    def releases_dir(self) -> Path:
        """The releases that are kept, one file each."""
        return self.root / "releases"

    @property
    def parquet_link(self) -> Path:
        """The release's tables as Parquet: a link to the folder of the release that stands."""
        return self.root / "parquet"

    @property
    def receipts_dir(self) -> Path:
        """What was erased when, by numbers and digests; made with the first receipt."""
        return self.root / "receipts"

    @property
    def checks_page(self) -> Path:
        """The outcomes of the last audit, for a browser; of a refused build too."""
        return self.root / "checks.html"

    @property
    def dashboard_page(self) -> Path:
        """The release for whoever looks before reading: one page, for a browser."""
        return self.root / "index.html"

    @property
    def docs_page(self) -> Path:
        """What dbt tells of models, columns and lineage: one page, made when it is asked for."""
        return self.root / "docs.html"

    @property
    def dbt_dir(self) -> Path:
        """Dbt's manifest, compiled SQL and log of the last run."""
        return self.root / "dbt"

    def prepare(self) -> None:
        """Makes the folders that are missing, open to their owner alone.

        Raises InputError where a file is in the way, or the system refuses.
        """
        for folder in (self.root, self.releases_dir, self.dbt_dir):
            try:
                folder.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            except OSError as error:
                if is_disk_full(error):
                    raise
                is_in_the_way = isinstance(error, (FileExistsError, NotADirectoryError))
                why = f"{error.filename} is no folder" if is_in_the_way else str(error.strerror)
                what = f"the warehouse {self.root} can't be made: {why}"
                advice = "Name a folder with --warehouse that the user who runs this may write to"
                raise InputError((Fault(what, advice),)) from error

    def check_is_there(self) -> None:
        """Raises InputError where there is no such folder; for who only looks, and makes none."""
        if not self.root.is_dir():
            what = f"there is no warehouse {self.root}"
            raise InputError((Fault(what, "Name one with --warehouse"),))

    @contextmanager
    def build_lock(self, *, on_wait: Callable[[], None]) -> Iterator[None]:
        """Holds the right to build; tells `on_wait` once and waits if another run has it."""
        with _held(self.root / ".build.lock", on_wait=on_wait):
            yield

    @contextmanager
    def release_lock(self) -> Iterator[None]:
        """Holds the right to put a release in place, for the moment that it takes."""
        with _held(self.root / ".release.lock", on_wait=lambda: None):
            yield


@contextmanager
def _held(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    # the operating system lets go of the lock when its holder dies, however it dies
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def sync(path: Path) -> None:
    """Has the disk hold what was written to a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def private_files() -> Iterator[None]:
    """Lets every file that is made inside be its owner's alone."""
    before = os.umask(PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def disk_full_told(place: Path, *, released: str | None = None) -> Iterator[None]:
    """Turns a disk that ran full inside into an error that says so; `released` stands by then."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if not is_disk_full(error):
            raise
        raise BuildError(disk_full_message(place, released=released)) from error


@contextmanager
def unreadable_told(path: Path, *, remedy: str) -> Iterator[None]:
    """Turns the engine's words that it can't open a database into an error that says what to do.

    `remedy` is for one that is damaged; where another program holds it, that has to let it go.
    """
    try:
        yield
    except duckdb.IOException as error:
        if LOCKED in str(error):
            raise BuildError(
                f"{path} is open in another program: close it there, and try again."
                " Whoever only reads should open a release, read-only"
            ) from error
        if says_damaged(str(error)):
            raise DamagedError(f"{path} is damaged: {remedy}") from error
        raise


def says_damaged(message: str) -> bool:
    """Whether a message of the engine says that a file is no whole database."""
    return any(text in message for text in DAMAGED)


def disk_full_message(place: Path, *, released: str | None = None) -> str:
    """What to tell when the disk under `place` is full; `released` stands by then."""
    stands = (
        f"Release {released} stands, and what follows on it is not done: its copies as Parquet may"
        " be those of the one before, and kept releases may tell erased ids."
        if released
        else "Nothing was released and the last release stands."
    )
    return (
        f"the disk that holds {place} is full. {stands}"
        " Make room, or name another folder with --warehouse, and run again."
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of the system or the engine says that no space is left."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return says_disk_full(str(error))


def says_disk_full(message: str) -> bool:
    """Whether a message of the engine says that no space is left."""
    return any(os.strerror(number) in message for number in FULL)
