"""The files of a raw folder, by table: what is there, not what is in them."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestration.errors import Fault, printable
from orchestration.raw.contract import RawContract, RawTable

FileFormat = Literal["parquet", "csv"]

FORMATS: dict[str, FileFormat] = {".parquet": "parquet", ".csv": "csv"}

# a Parquet footer lies at the end and holds each column's statistics: other content, other footer
FINGERPRINTED_BYTES = 64 * 1024


@dataclass(frozen=True)
class RawFile:
    """A file that holds rows of one raw table."""

    table: str
    path: Path
    format: FileFormat


@dataclass(frozen=True)
class RawFolder:
    """A raw folder: its files by table and path, what was passed over, and what is wrong."""

    root: Path
    files: tuple[RawFile, ...]
    notices: tuple[str, ...]
    faults: tuple[Fault, ...]

    def files_of(self, table: str) -> tuple[RawFile, ...]:
        """The files of a table; empty if it has none."""
        return tuple(file for file in self.files if file.table == table)

    def fingerprint(self) -> str:
        """A hash of names, sizes and ends of the files: the same data anywhere, the same hash."""
        digest = hashlib.sha256()
        for file in self.files:
            size = file.path.stat().st_size
            digest.update(
                f"{file.table}/{file.path.name}\0{size}\0".encode(errors="surrogateescape")
            )
            with file.path.open("rb") as content:
                content.seek(max(0, size - FINGERPRINTED_BYTES))
                digest.update(content.read())
        return digest.hexdigest()

    def listing(self) -> str:
        """A hash of names, sizes and times of change, for which no file is opened."""
        digest = hashlib.sha256()
        for file in self.files:
            status = file.path.stat()
            digest.update(
                f"{file.table}/{file.path.name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(
                    errors="surrogateescape"
                )
            )
        return digest.hexdigest()


def open_raw_folder(root: Path, contract: RawContract) -> RawFolder:
    """What lies in `root`; never raises for what is wrong with it, but says so in `faults`."""
    try:
        is_folder, exists = root.is_dir(), root.exists()
    except OSError as error:
        # of a folder above it
        return RawFolder(root, (), (), (_closed(root, error),))
    if not is_folder:
        what = "is not a folder" if exists else "does not exist"
        advice = (
            "Name the folder that holds <table>/*.parquet or <table>/*.csv with --raw;"
            " `tenure simulate` makes one"
        )
        return RawFolder(root, (), (), (Fault(f"raw folder {root} {what}", advice),))
    files: list[RawFile] = []
    notices: list[str] = []
    faults: list[Fault] = []
    known = {table.name for table in contract.tables}
    try:
        entries = sorted(root.iterdir())
    except OSError as error:
        return RawFolder(root, (), (), (_closed(root, error),))
    for table in contract.tables:
        try:
            if no_folder := _no_folder(root / table.name, table.name):
                faults.append(no_folder)
                continue
            found, passed_over, no_files = _files_of_table(root, table.name)
        except OSError as error:
            faults.append(_closed(root / table.name, error, table=table.name))
            continue
        files.extend(found)
        notices.extend(passed_over)
        faults.extend(no_files)
        faults.extend(_faults_of_table(root, table, found))
    beside = [entry for entry in entries if not _is_hidden(entry) and entry.name not in known]
    notices.extend(_passed_over(beside, known))
    faults.extend(_beside_its_folder(entry) for entry in beside if _is_meant(entry, known))
    return RawFolder(root, tuple(files), tuple(notices), tuple(faults))


def _passed_over(beside: Iterable[Path], known: Collection[str]) -> Iterator[str]:
    for entry in beside:
        if entry.is_dir():
            yield printable(f"{entry.name}: no raw table of this name; ignored")
        elif entry.suffix.lower() in FORMATS and not _is_meant(entry, known):
            yield printable(f"{entry.name}: lies in no raw table's folder; ignored")


def _is_meant(entry: Path, known: Collection[str]) -> bool:
    return entry.suffix.lower() in FORMATS and entry.stem in known and not entry.is_dir()


def _beside_its_folder(file: Path) -> Fault:
    advice = f"Move it into the folder {file.stem}, or take it away"
    return Fault(
        "this lies beside the folders, and rows are read from a table's own folder alone",
        advice,
        file=file,
        table=file.stem,
    )


def _closed(folder: Path, error: OSError, *, table: str | None = None) -> Fault:
    what = f"the folder can't be opened: {error.strerror}"
    return Fault(what, "Let the user who runs this read it", file=folder, table=table)


def _no_folder(folder: Path, table: str) -> Fault | None:
    # a disk that is not there must not read as a table without rows
    if folder.is_dir() or not (folder.exists() or folder.is_symlink()):
        return None
    return Fault(
        "this is no folder, or a link that leads to none",
        "Put the folder of the table's files in its place, or take it away",
        file=folder,
        table=table,
    )


def _files_of_table(root: Path, table: str) -> tuple[list[RawFile], list[str], list[Fault]]:
    files: list[RawFile] = []
    passed_over: list[str] = []
    no_files: list[Fault] = []
    for path in _entries(root / table):
        file_format = FORMATS.get(path.suffix.lower())
        if path.is_file() and file_format:
            files.append(RawFile(table, path.absolute(), file_format))
        elif file_format:
            # rows may be meant by it, and a pipe or a device would never end
            what = "is a folder" if path.is_dir() else "is no file, or a link that leads to none"
            advice = "Write the rows to files in the table's own folder, or take it away"
            no_files.append(Fault(f"this {what}", advice, file=path, table=table))
        else:
            passed_over.append(
                printable(f"{table}/{path.name}: neither .parquet nor .csv; ignored")
            )
    return files, passed_over, no_files


def _entries(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if not _is_hidden(path))


def _faults_of_table(root: Path, table: RawTable, files: list[RawFile]) -> Iterator[Fault]:
    if table.is_required and not files:
        columns = ", ".join(column.name for column in table.columns)
        yield Fault(
            "required table is missing: no .parquet or .csv file in its folder",
            f"Write it there with the columns {columns}; with no rows if the service has none",
            file=root / table.name,
            table=table.name,
        )
    for file in files:
        try:
            str(file.path).encode()
        except UnicodeEncodeError:
            yield Fault(
                "the file's name is not UTF-8",
                "Rename it",
                file=Path(str(file.path).encode(errors="replace").decode()),
                table=table.name,
            )


def _is_hidden(path: Path) -> bool:
    # markers of the tools that wrote the folder, such as _SUCCESS or .part.crc
    return path.name.startswith((".", "_"))
