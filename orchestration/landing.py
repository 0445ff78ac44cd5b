"""The landing gate: judges a raw folder whole, then lays the views of schema `raw` over its files.

Shape is judged here: files, tables, columns, types. What a row says is judged in staging, where a
bad one is quarantined.
"""

import csv
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

from orchestration.errors import Fault
from orchestration.raw_contract import SOURCE_NAME, RawColumn, RawContract, RawTable
from orchestration.raw_folder import RawFile, RawFolder
from orchestration.sql_text import exact_path, quoted_name, quoted_text, text_list

OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

INTEGER_TYPES = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
)
# integers that may not fit 64 bits with a sign
WIDE_INTEGER_TYPES = re.compile(r"UBIGINT|HUGEINT|UHUGEINT|DECIMAL\((19|[23]\d),0\)")
TIMESTAMP_TYPES = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
ZONED_TIMESTAMP_TYPE = "TIMESTAMP WITH TIME ZONE"

EXPECTED = {
    "string": ("text", "Write it as text"),
    "bigint": ("a whole number", "Write it as any integer type, without decimals"),
    "timestamp": ("a timestamp", "Write it as a timestamp, such as 2026-01-31 23:59:59, in UTC"),
    "date": ("a date", "Write it as a date, such as 2026-01-31"),
    "boolean": ("true or false", "Write it as a boolean, true or false"),
    "decimal": ("a number", "Write it as a decimal or a double, with a point"),
}

# UTC must be said or meant: DuckDB's own cast to a timestamp drops an offset without a word
CSV_WITH_OFFSET = r":[0-9.]+ ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$"
CSV_WITHOUT_OFFSET = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+)?"
CSV_NO_SECONDS = r"([T ][0-9]{2}:[0-9]{2})( ?(Z|z|UTC|[+-]))"
CSV_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CSV_WHOLE_NUMBER = r"[+-]?[0-9]+([.]0*)?"
CSV_NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?"

# a folder's name such as plan_id=7 would take the place of the column
NO_PARTITIONS = "hive_partitioning = false"

# enough to tell what is wrong with a file; the first is named and the rest counted
MAX_REJECTED_LINES = 1000
MAX_SHOWN_CHARACTERS = 30
MAX_SHOWN_NAMES = 30
PLAIN_NAME = re.compile(r"\w{1,63}", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """Files of a table that are read the same way: a `from` item and an expression per column.

    `is_plain` where they are Parquet of the contract's own types, which any engine reads alike.
    """

    relation: str
    expressions: tuple[str, ...]
    is_plain: bool = False


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


@dataclass(frozen=True)
class _ParquetFile:
    file: RawFile
    rows: int
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _CsvFile:
    file: RawFile
    header: tuple[str, ...]


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
    faults: list[Fault] = []
    readings: list[Reading] = []
    rows = 0
    parquet_files: list[_ParquetFile] = []
    csv_files: list[_CsvFile] = []
    for file in files:
        try:
            if file.format == "parquet":
                parquet_files.append(_open_parquet(connection, file))
            else:
                csv_files.append(_open_csv(file, table))
        except _UnreadableError as unreadable:
            faults.append(unreadable.fault)
    for group in _grouped(parquet_files, key=lambda opened: opened.columns):
        reading, found = _read_parquet(connection, table, group)
        faults.extend(found)
        rows += sum(opened.rows for opened in group)
        readings.extend([reading] if reading else [])
    for csv_group in _grouped(csv_files, key=lambda opened: opened.header):
        reading, found, group_rows = _read_csv(connection, table, csv_group)
        faults.extend(found)
        rows += group_rows
        readings.extend([reading] if reading else [])
    return TableFindings(table, len(files), rows, tuple(readings), tuple(faults))


def _grouped(items: Iterable[T], *, key: Callable[[T], Hashable]) -> Iterator[tuple[T, ...]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    yield from (tuple(group) for group in groups.values())


class _UnreadableError(Exception):
    """A file that can't be opened at all."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


def _open_parquet(connection: duckdb.DuckDBPyConnection, file: RawFile) -> _ParquetFile:
    path = [exact_path(file.path)]
    try:
        connection.execute(f"select * from read_parquet(?, {NO_PARTITIONS}) limit 0", [path])
        described = [(str(column[0]), str(column[1])) for column in connection.description or []]
        rows = connection.execute(
            "select num_rows from parquet_file_metadata(?)", [path]
        ).fetchall()
        without_type = connection.execute(
            "select name from parquet_schema(?) where logical_type = 'NullType()'", [path]
        ).fetchall()
    except (duckdb.Error, OSError) as error:
        raise _UnreadableError(_unreadable_parquet(file)) from error
    # a column in which a writer saw nothing but nulls fits every type
    untyped = {name for (name,) in without_type}
    columns = tuple((name, "NULL" if name in untyped else kind) for name, kind in described)
    return _ParquetFile(file, int(rows[0][0]), columns)


def _unreadable_parquet(file: RawFile) -> Fault:
    magic = b"PAR1"
    try:
        content = file.path.read_bytes()
    except OSError as error:
        return _unopenable(file, error)
    if not content:
        what = "the file is empty, not even a Parquet footer"
    elif content.startswith(magic) and not content.endswith(magic):
        what = "the Parquet file is cut short: its footer is missing"
    elif content.startswith(magic):
        what = "the Parquet file is damaged: its footer can't be read"
    else:
        what = "this is not a Parquet file"
    advice = "Write or copy it again, whole, under another name first and rename it when it is done"
    return Fault(what, advice, file=file.path, table=file.table)


def _unopenable(file: RawFile, error: OSError) -> Fault:
    reason = error.strerror or type(error).__name__
    return Fault(
        f"the file can't be opened: {reason}",
        "Let the user who runs this read it",
        file=file.path,
        table=file.table,
    )


def _read_parquet(
    connection: duckdb.DuckDBPyConnection, table: RawTable, group: tuple[_ParquetFile, ...]
) -> tuple[Reading | None, list[Fault]]:
    files = [opened.file for opened in group]
    found = {name.lower(): (name, kind) for name, kind in group[0].columns}
    faults: list[Fault] = []
    expressions: list[str] = []
    wide: list[tuple[RawColumn, str]] = []
    for column in table.columns:
        name, kind = found.get(column.name, (None, ""))
        if name is None:
            faults.append(
                _missing_column(files, table, column, [name for name, _ in group[0].columns])
            )
            continue
        expression = _parquet_expression(quoted_name(name), kind, column.data_type)
        if expression is None:
            faults.append(_other_type(files, table, column, f"is {kind}"))
            continue
        expressions.append(expression)
        if column.data_type == "bigint" and WIDE_INTEGER_TYPES.fullmatch(kind):
            wide.append((column, quoted_name(name)))
    if faults:
        return None, faults
    paths = text_list([exact_path(file.path) for file in files])
    # else it is guessed from one of the files, and of a service that grows far too few rows:
    # joins then keep the plays in memory instead of what they meet
    size = f"explicit_cardinality = {sum(opened.rows for opened in group)}"
    relation = f"read_parquet({paths}, {NO_PARTITIONS}, {size})"
    for column, name in wide:
        ((beyond,),) = connection.execute(
            f"select count(*) from {relation}"
            f" where try_cast({name} as bigint) is null and {name} is not null"
        ).fetchall()
        if beyond:
            what = f"has {beyond} values beyond 64 bits"
            faults.append(_other_type(files, table, column, what))
    is_plain = all(
        kind in plain_kinds(column.data_type)
        for column in table.columns
        for _, kind in [found[column.name]]
    )
    return (None if faults else Reading(relation, tuple(expressions), is_plain)), faults


def plain_kinds(data_type: str) -> frozenset[str]:
    """DuckDB's types of those Parquet columns that another engine takes for `data_type` as well."""
    if data_type.startswith("decimal"):
        return frozenset({data_type.upper().replace(" ", "")})
    return {
        "string": frozenset({"VARCHAR"}),
        "bigint": frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}),
        "timestamp": frozenset({"TIMESTAMP", ZONED_TIMESTAMP_TYPE}),
        "date": frozenset({"DATE"}),
        "boolean": frozenset({"BOOLEAN"}),
    }[data_type]


def _parquet_expression(name: str, kind: str, data_type: str) -> str | None:
    """What reads a Parquet column of type `kind` as `data_type`; None if it is of another type."""
    if kind == "NULL":
        return f"cast(null as {data_type})"
    if data_type == "timestamp":
        if kind == ZONED_TIMESTAMP_TYPE:
            return f"timezone('UTC', {name})"
        return name if kind in TIMESTAMP_TYPES else None
    if data_type.startswith("decimal"):
        if kind in {"DOUBLE", "FLOAT"}:
            # by its text, which has the digits that were meant; not a number and infinity are no
            # rate: null, and quarantined as such
            return f"try_cast(cast({name} as varchar) as {data_type})"
        if kind in plain_kinds(data_type):
            return name
        # what is too large for the type is no value of it either
        is_number = kind.startswith("DECIMAL") or kind in INTEGER_TYPES
        return f"try_cast({name} as {data_type})" if is_number else None
    is_accepted = {
        "string": kind == "VARCHAR",
        "bigint": kind in INTEGER_TYPES or bool(re.fullmatch(r"DECIMAL\(\d+,0\)", kind)),
        "date": kind == "DATE",
        "boolean": kind == "BOOLEAN",
    }[data_type]
    return name if is_accepted else None


def _open_csv(file: RawFile, table: RawTable) -> _CsvFile:
    try:
        with file.path.open(newline="", encoding="utf-8-sig") as content:
            header = next(csv.reader(content, strict=True), None)
    except OSError as error:
        raise _UnreadableError(_unopenable(file, error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
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
    repeated = sorted(
        {name for name in header if header.count(name) > 1 and _is_known(table, name)}
    )
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
    return _CsvFile(file, tuple(header))


def _refuse_other_delimiter(file: RawFile, table: RawTable, header: list[str]) -> None:
    if any(_is_known(table, name) for name in header):
        return
    for delimiter, plural in OTHER_DELIMITERS.items():
        names = ",".join(header).split(delimiter)
        if len(names) > 1 and any(_is_known(table, name.strip(' "')) for name in names):
            raise _UnreadableError(
                Fault(
                    f"its columns are separated by {plural}, not by commas",
                    "Write it again with a comma as the delimiter",
                    file=file.path,
                    table=table.name,
                    column=", ".join(column.name for column in table.columns),
                )
            )


def _is_known(table: RawTable, name: str) -> bool:
    return any(column.name == name for column in table.columns)


def _read_csv(
    connection: duckdb.DuckDBPyConnection, table: RawTable, group: tuple[_CsvFile, ...]
) -> tuple[Reading | None, list[Fault], int]:
    files = [opened.file for opened in group]
    header = group[0].header
    faults = [
        _missing_column(files, table, column, header)
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
        what = f"{count} values are not {EXPECTED[_family(column)][0]}, the first in {first}"
        faults.append(_other_type([file], table, column, what))
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
        with_seconds = rf"regexp_replace({name}, '{CSV_NO_SECONDS}', '\1:00\2')"
        return (
            f"case when regexp_matches({name}, '{CSV_WITH_OFFSET}')"
            f" then timezone('UTC', try_cast({with_seconds} as timestamptz))"
            f" when regexp_full_match({name}, '{CSV_WITHOUT_OFFSET}')"
            f" then try_cast({name} as timestamp) end"
        )
    if data_type == "boolean":
        return f"try_cast({name} as boolean)"
    pattern = {"bigint": CSV_WHOLE_NUMBER, "date": CSV_DATE}.get(data_type, CSV_NUMBER)
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
        return f"not regexp_full_match({name}, '{CSV_NUMBER}')"
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
        counted = connection.execute(query).fetchall()
    except duckdb.Error as error:
        # the error's own text quotes the line, which may hold personal data
        advice = "Write it as comma-separated UTF-8 text, quoted by double quotes"
        what = f"the rows can't be read as CSV ({type(error).__name__})"
        return [_in_files(what, advice, files, table)], [], 0
    rejected = connection.execute(
        "select scans.file_path, min(errors.line), count(distinct errors.line),"
        " arg_min(errors.error_type::text, errors.line)"
        " from reject_errors as errors"
        " inner join reject_scans as scans using (scan_id, file_id) group by 1 order by 1"
    ).fetchall()
    faults = [
        Fault(
            f"{count} lines can't be read as CSV, the first is line {line} ({str(kind).lower()})",
            "Write a line a row with as many values as columns, quoted by double quotes, in UTF-8",
            file=next(file.path for file in files if str(file.path) == path),
            table=table.name,
        )
        for path, line, count, kind in rejected
    ]
    bad_values = [
        (str(path), name, int(bad))
        for path, _, *bad_counts in counted
        for name, bad in zip(refused, bad_counts, strict=True)
        if bad
    ]
    return faults, bad_values, sum(int(row[1]) for row in counted)


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
    return f"data row {row}, which looks like {_shape(str(value))}"


def _shape(value: str) -> str:
    """A value with letters and digits hidden: columns may be shifted, so any may be personal."""
    hidden = "".join(
        "9" if character.isdigit() else "a" if character.isalpha() else character
        for character in value[:MAX_SHOWN_CHARACTERS]
    )
    return quoted_text(hidden + ("…" if len(value) > MAX_SHOWN_CHARACTERS else ""))


def _family(column: RawColumn) -> str:
    return column.data_type.partition("(")[0]


def _missing_column(
    files: list[RawFile], table: RawTable, column: RawColumn, found: Iterable[str]
) -> Fault:
    expected, _ = EXPECTED[_family(column)]
    optional = ", all empty if nothing is known" if column.is_nullable else ""
    return _in_files(
        f"the column is missing; {_found_names(table, tuple(found))}",
        f"Add {column.name}, {expected}{optional}",
        files,
        table,
        column,
    )


def _found_names(table: RawTable, found: tuple[str, ...]) -> str:
    # the first line of a file without names is a row, and may be personal
    if not any(_is_known(table, name.lower()) for name in found):
        return f"none of the {len(found)} found is one of this table"
    told = [
        name if PLAIN_NAME.fullmatch(name) else _shape(name) for name in found[:MAX_SHOWN_NAMES]
    ]
    return f"found are {', '.join(told)}" + (" …" if len(found) > MAX_SHOWN_NAMES else "")


def _other_type(files: list[RawFile], table: RawTable, column: RawColumn, found: str) -> Fault:
    expected, advice = EXPECTED[_family(column)]
    return _in_files(f"{found}; expected is {expected}", advice, files, table, column)


def _in_files(
    what: str,
    advice: str,
    files: list[RawFile],
    table: RawTable,
    column: RawColumn | None = None,
) -> Fault:
    others = len(files) - 1
    likewise = f" (likewise in {others} other file{'s' if others > 1 else ''})" if others else ""
    return Fault(
        what + likewise,
        advice,
        file=files[0].path,
        table=table.name,
        column=column.name if column else None,
    )
