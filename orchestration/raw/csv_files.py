"""Raw CSV files: every value is read and tried."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.database.sql_text import exact_path, text_list
from orchestration.errors import Fault, counted
from orchestration.raw.contract import RawTable
from orchestration.raw.faults import (
    EXPECTED,
    family,
    in_files,
    is_known,
    missing_column,
    other_type,
    shape,
    unopenable,
)
from orchestration.raw.folder import RawFile
from orchestration.raw.reading import NO_PARTITIONS, Reading

OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

# UTC must be said or meant: DuckDB's own cast to a timestamp drops an offset without a word
WITH_OFFSET = r":[0-9.]+ ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$"
WITHOUT_OFFSET = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+)?"
NO_SECONDS = r"([T ][0-9]{2}:[0-9]{2})( ?(Z|z|UTC|[+-]))"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
WHOLE_NUMBER = r"[+-]?[0-9]+([.]0*)?"
NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?"

# enough to tell what is wrong with a file; the first is named and the rest counted
MAX_REJECTED_LINES = 1000


@dataclass(frozen=True)
class CsvFile:
    """A CSV file with the names of its first line."""

    file: RawFile
    header: tuple[str, ...]


def open_csv(files: Iterable[RawFile], table: RawTable) -> tuple[list[CsvFile], list[Fault]]:
    """The files whose first line can be read, and what is wrong with the others."""
    opened: list[CsvFile] = []
    faults: list[Fault] = []
    for file in files:
        try:
            opened.append(_open_csv(file, table))
        except _UnreadableError as unreadable:
            faults.append(unreadable.fault)
    return opened, faults


class _UnreadableError(Exception):
    """A file that can't be opened at all."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


def _open_csv(file: RawFile, table: RawTable) -> CsvFile:
    try:
        # more than the first line is decoded, and of the others the engine tells which it is
        with file.path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as content:
            header = next(csv.reader(content, strict=True), None)
            "".join(header or ()).encode()
    except OSError as error:
        raise _UnreadableError(unopenable(file, error)) from error
    except (UnicodeEncodeError, csv.Error) as error:
        what, advice = (
            "the file's first line can't be read",
            "Write it as comma-separated UTF-8 text",
        )
        raise _UnreadableError(Fault(what, advice, file=file.path, table=table.name)) from error
    if header is None:
        what, advice = "the file is empty", "Write a first line with the names of the columns"
        raise _UnreadableError(Fault(what, advice, file=file.path, table=table.name))
    header = [name.strip().lower() for name in header]
    _refuse_other_delimiter(file, table, header)
    repeated = sorted({name for name in header if header.count(name) > 1 and is_known(table, name)})
    if repeated:
        raise _UnreadableError(
            Fault(
                "the column comes more than once",
                "Keep one of them",
                file=file.path,
                table=table.name,
                column=", ".join(repeated),
            )
        )
    return CsvFile(file, tuple(header))


def _refuse_other_delimiter(file: RawFile, table: RawTable, header: list[str]) -> None:
    if any(is_known(table, name) for name in header):
        return
    for delimiter, plural in OTHER_DELIMITERS.items():
        names = ",".join(header).split(delimiter)
        if len(names) > 1 and any(is_known(table, name.strip(' "')) for name in names):
            raise _UnreadableError(
                Fault(
                    f"its columns are separated by {plural}, not by commas",
                    "Write it again with a comma as the delimiter",
                    file=file.path,
                    table=table.name,
                    column=", ".join(column.name for column in table.columns),
                )
            )


def read_csv(
    connection: duckdb.DuckDBPyConnection, table: RawTable, group: tuple[CsvFile, ...]
) -> tuple[Reading | None, list[Fault], int]:
    """How files of the same first line are read, or what is wrong with them; and their rows."""
    files = [opened.file for opened in group]
    header = group[0].header
    faults = [
        missing_column(files, table, column, header)
        for column in table.columns
        if column.name not in header
    ]
    present = [column for column in table.columns if column.name in header]
    names = {column.name: f"c{header.index(column.name)}" for column in present}
    refused = {
        column.name: _refused_csv(names[column.name], column.data_type) for column in present
    }
    options = _csv_options(len(header))
    broken, bad_values, rows = _try_csv(connection, table, files, options, refused)
    faults.extend(broken)
    for path, column_name, count in bad_values:
        column = next(column for column in present if column.name == column_name)
        name, condition = names[column_name], refused[column_name]
        first = _first_bad_value(connection, path, options, name, condition)
        file = next(file for file in files if str(file.path) == path)
        what = f"{count} values are not {EXPECTED[family(column)][0]}, the first in {first}"
        faults.append(other_type([file], table, column, what))
    if faults:
        return None, faults, rows
    relation = f"read_csv({text_list([exact_path(file.path) for file in files])}, {options})"
    expressions = tuple(
        _csv_expression(names[column.name], column.data_type) for column in table.columns
    )
    return Reading(relation, expressions), [], rows


def _csv_options(columns: int) -> str:
    # nothing is guessed: two files of one table are never read in two ways
    typed = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(columns))
    return (
        f"{NO_PARTITIONS}, auto_detect = false,"
        " header = true, delim = ',', quote = '\"', escape = '\"',"
        f" nullstr = '', strict_mode = true, columns = {{{typed}}}"
    )


def _csv_expression(name: str, data_type: str) -> str:
    """What reads a CSV value, text or null, as `data_type`; null where it isn't one."""
    if data_type == "string":
        return name
    if data_type == "timestamp":
        with_seconds = rf"regexp_replace({name}, '{NO_SECONDS}', '\1:00\2')"
        return (
            f"case when regexp_matches({name}, '{WITH_OFFSET}')"
            f" then timezone('UTC', try_cast({with_seconds} as timestamptz))"
            f" when regexp_full_match({name}, '{WITHOUT_OFFSET}')"
            f" then try_cast({name} as timestamp) end"
        )
    if data_type == "boolean":
        return f"try_cast({name} as boolean)"
    pattern = {"bigint": WHOLE_NUMBER, "date": DATE}.get(data_type, NUMBER)
    # a whole number may come as 12.0 from a tool that keeps nulls in floats
    value = f"split_part({name}, '.', 1)" if data_type == "bigint" else name
    return (
        f"case when regexp_full_match({name}, '{pattern}')"
        f" then try_cast({value} as {data_type}) end"
    )


def _refused_csv(name: str, data_type: str) -> str:
    """The condition on which a CSV value, text or null, is none of `data_type`."""
    if data_type.startswith("decimal"):
        # a number too large for the type is read as null, and quarantined as such, as in Parquet
        return f"not regexp_full_match({name}, '{NUMBER}')"
    return f"{name} is not null and {_csv_expression(name, data_type)} is null"


def _try_csv(
    connection: duckdb.DuckDBPyConnection,
    table: RawTable,
    files: list[RawFile],
    options: str,
    refused: dict[str, str],
) -> tuple[list[Fault], list[tuple[str, str, int]], int]:
    """Faults of lines, (path, column, count) of unreadable values, and the number of rows."""
    counts = ", ".join(f"count(*) filter (where {condition})" for condition in refused.values())
    paths = text_list([exact_path(file.path) for file in files])
    query = (
        f"select filename, count(*){', ' + counts if counts else ''}"
        f" from read_csv({paths}, {options}, filename = true, store_rejects = true,"
        f" rejects_limit = {MAX_REJECTED_LINES})"
        " group by filename order by filename"
    )
    connection.execute("drop table if exists reject_errors")
    connection.execute("drop table if exists reject_scans")
    try:
        counts_by_file = connection.execute(query).fetchall()
    except duckdb.Error as error:
        # the error's own text quotes the line, which may hold personal data
        advice = (
            "Write it as comma-separated UTF-8 text, quoted by double quotes, with the same line"
            " ends throughout"
        )
        what = f"the rows can't be read as CSV ({type(error).__name__})"
        return [in_files(what, advice, files, table)], [], 0
    rejected = connection.execute(
        "select scans.file_path, min(errors.line), count(distinct errors.line),"
        " arg_min(errors.error_type::text, errors.line)"
        " from reject_errors as errors"
        " inner join reject_scans as scans using (scan_id, file_id) group by 1 order by 1"
    ).fetchall()
    faults = [
        Fault(
            f"{counted(count, 'line')} not to be read as CSV, the first is line {line}"
            f" ({str(kind).lower()})",
            "Write a line a row with as many values as columns, quoted by double quotes, in UTF-8",
            file=next(file.path for file in files if str(file.path) == path),
            table=table.name,
        )
        for path, line, count, kind in rejected
    ]
    bad_values = [
        (str(path), name, int(bad))
        for path, _, *bad_counts in counts_by_file
        for name, bad in zip(refused, bad_counts, strict=True)
        if bad
    ]
    return faults, bad_values, sum(int(row[1]) for row in counts_by_file)


def _first_bad_value(
    connection: duckdb.DuckDBPyConnection, path: str, options: str, name: str, condition: str
) -> str:
    exact = text_list([exact_path(Path(path))])
    ((row, value),) = connection.execute(
        f"select row_number, {name} from ("
        f"select row_number() over () as row_number, * from"
        f" read_csv({exact}, {options}, ignore_errors = true, parallel = false))"
        f" where {condition} order by row_number limit 1"
    ).fetchall()
    return f"data row {row}, which looks like {shape(str(value))}"
