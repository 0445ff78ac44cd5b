"""The landing gate: judges a raw folder whole, then lays the views of schema `raw` over its files.

Shape is judged here: files, tables, columns, types. What a row says is judged in staging, where a
bad one is quarantined.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from orchestration.database.sql_text import quoted_name
from orchestration.errors import Fault
from orchestration.raw.contract import SOURCE_NAME, RawColumn, RawContract, RawTable
from orchestration.raw.csv_files import open_csv, read_csv
from orchestration.raw.folder import RawFile, RawFolder
from orchestration.raw.parquet_files import open_parquet, read_parquet
from orchestration.raw.reading import Reading

T = TypeVar("T")


@dataclass(frozen=True)
class TableFindings:
    """What a table's files hold; `rows` counts those of readable files."""

    table: RawTable
    files: int
    rows: int
    readings: tuple[Reading, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Inspection:
    """What the gate found in a raw folder, table by table."""

    folder: RawFolder
    tables: tuple[TableFindings, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong, the folder's own faults first."""
        in_files = (fault for findings in self.tables for fault in findings.faults)
        return (*self.folder.faults, *in_files)

    @property
    def absent(self) -> tuple[str, ...]:
        """The optional tables of which no file came; a required one is a fault."""
        return tuple(
            findings.table.name
            for findings in self.tables
            if not findings.files and not findings.table.is_required
        )


def inspect(
    folder: RawFolder, contract: RawContract, *, on_table: Callable[[str], None] = lambda _: None
) -> Inspection:
    """Everything that the files of `folder` hold and everything that is wrong with them.

    Parquet is judged by its schemas; of CSV every value is read and tried. `on_table` is told each
    table's name before its files are opened.
    """
    try:
        is_folder = folder.root.is_dir()
    except OSError:
        # the folder's own faults say why
        is_folder = False
    if not is_folder:
        return Inspection(folder, ())
    misnamed = {fault.table for fault in folder.faults if fault.file and fault.file.suffix}
    tables = []
    with duckdb.connect(":memory:", config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in contract.tables:
            on_table(table.name)
            files = () if table.name in misnamed else folder.files_of(table.name)
            tables.append(_inspect_table(connection, table, files))
    return Inspection(folder, tuple(tables))


def lay_views(connection: duckdb.DuckDBPyConnection, inspection: Inspection) -> None:
    """Makes schema `raw`: for each table a view of the contract's columns, in its order and types.

    A table without files is a view without rows. Call it with an inspection that found no fault.
    """
    connection.execute(f"create schema if not exists {quoted_name(SOURCE_NAME)}")
    for findings in inspection.tables:
        name = quoted_name(SOURCE_NAME, findings.table.name)
        connection.execute(f"create or replace view {name} as\n{view_query(findings)}")


def view_query(findings: TableFindings) -> str:
    """What reads the rows of a table's files: the contract's columns, in its order and types."""
    columns = findings.table.columns
    if not findings.readings:
        nothing = Reading("(select 1) as no_files where false", ("null",) * len(columns))
        return _select(nothing, columns)
    return "\nunion all\n".join(_select(reading, columns) for reading in findings.readings)


def _select(reading: Reading, columns: tuple[RawColumn, ...]) -> str:
    selected = ",\n    ".join(
        f"cast({expression} as {column.data_type}) as {quoted_name(column.name)}"
        for expression, column in zip(reading.expressions, columns, strict=True)
    )
    return f"select\n    {selected}\nfrom {reading.relation}"


def _inspect_table(
    connection: duckdb.DuckDBPyConnection, table: RawTable, files: Iterable[RawFile]
) -> TableFindings:
    files = tuple(files)
    readings: list[Reading] = []
    rows = 0
    parquet_files, faults = open_parquet(
        connection, [file for file in files if file.format == "parquet"]
    )
    csv_files, unreadable = open_csv([file for file in files if file.format == "csv"], table)
    faults.extend(unreadable)
    for group in _grouped(parquet_files, key=lambda opened: opened.columns):
        reading, found = read_parquet(connection, table, group)
        faults.extend(found)
        rows += sum(opened.rows for opened in group)
        readings.extend([reading] if reading else [])
    for csv_group in _grouped(csv_files, key=lambda opened: opened.header):
        reading, found, group_rows = read_csv(connection, table, csv_group)
        faults.extend(found)
        rows += group_rows
        readings.extend([reading] if reading else [])
    return TableFindings(table, len(files), rows, tuple(readings), tuple(faults))


def _grouped(items: Iterable[T], *, key: Callable[[T], Hashable]) -> Iterator[tuple[T, ...]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    yield from (tuple(group) for group in groups.values())
