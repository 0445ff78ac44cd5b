"""Raw Parquet files: judged by their schemas, and how their columns are read."""

import re
from dataclasses import dataclass

import duckdb

from orchestration.database.sql_text import exact_path, quoted_name, text_list
from orchestration.errors import Fault
from orchestration.raw.contract import RawColumn, RawTable
from orchestration.raw.faults import missing_column, other_type, unopenable
from orchestration.raw.folder import RawFile
from orchestration.raw.reading import NO_PARTITIONS, Reading

INTEGER_TYPES = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
)
# integers that may not fit 64 bits with a sign
WIDE_INTEGER_TYPES = re.compile(r"UBIGINT|HUGEINT|UHUGEINT|DECIMAL\((19|[23]\d),0\)")
TIMESTAMP_TYPES = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
ZONED_TIMESTAMP_TYPE = "TIMESTAMP WITH TIME ZONE"


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file with its rows, and its columns with DuckDB's types."""

    file: RawFile
    rows: int
    columns: tuple[tuple[str, str], ...]


def open_parquet(
    connection: duckdb.DuckDBPyConnection, files: list[RawFile]
) -> tuple[list[ParquetFile], list[Fault]]:
    """The files that can be opened, and what is wrong with the others."""
    try:
        # a query takes longer than a look into a file, of which there may be thousands
        return _opened_at_once(connection, files), []
    except (duckdb.Error, OSError):
        opened: list[ParquetFile] = []
        faults: list[Fault] = []
        for file in files:
            try:
                opened.extend(_opened_at_once(connection, [file]))
            except (duckdb.Error, OSError):
                faults.append(_unreadable_parquet(file))
        return opened, faults


def _opened_at_once(
    connection: duckdb.DuckDBPyConnection, files: list[RawFile]
) -> list[ParquetFile]:
    """The files; what DuckDB or the system raises of one that can't be opened is raised."""
    if not files:
        return []
    paths = [exact_path(file.path) for file in files]
    rows = dict(
        connection.execute(
            "select file_name, num_rows from parquet_file_metadata(?)", [paths]
        ).fetchall()
    )
    shapes: dict[str, list[tuple[object, ...]]] = {}
    for path, *element in connection.execute(
        "select file_name, name, type, type_length, repetition_type, num_children, converted_type,"
        " scale, precision, logical_type from parquet_schema(?)",
        [paths],
    ).fetchall():
        shapes.setdefault(path, []).append(tuple(element))
    columns: dict[tuple[tuple[object, ...], ...], tuple[tuple[str, str], ...]] = {}
    opened = []
    for file in files:
        shape = tuple(shapes[str(file.path)])
        if shape not in columns:
            columns[shape] = columns_of(connection, file)
        opened.append(ParquetFile(file, int(rows[str(file.path)]), columns[shape]))
    return opened


def columns_of(connection: duckdb.DuckDBPyConnection, file: RawFile) -> tuple[tuple[str, str], ...]:
    """The columns of a Parquet file with DuckDB's types, `NULL` where it says none."""
    path = [exact_path(file.path)]
    connection.execute(f"select * from read_parquet(?, {NO_PARTITIONS}) limit 0", [path])
    described = [(str(column[0]), str(column[1])) for column in connection.description or []]
    without_type = connection.execute(
        "select name from parquet_schema(?) where logical_type = 'NullType()'", [path]
    ).fetchall()
    # a column in which a writer saw nothing but nulls fits every type
    untyped = {name for (name,) in without_type}
    return tuple((name, "NULL" if name in untyped else kind) for name, kind in described)


def _unreadable_parquet(file: RawFile) -> Fault:
    magic = b"PAR1"
    try:
        content = file.path.read_bytes()
    except OSError as error:
        return unopenable(file, error)
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


def read_parquet(
    connection: duckdb.DuckDBPyConnection, table: RawTable, group: tuple[ParquetFile, ...]
) -> tuple[Reading | None, list[Fault]]:
    """How files of the same columns are read, or what is wrong with them."""
    files = [opened.file for opened in group]
    found = {name.lower(): (name, kind) for name, kind in group[0].columns}
    faults: list[Fault] = []
    expressions: list[str] = []
    wide: list[tuple[RawColumn, str]] = []
    for column in table.columns:
        name, kind = found.get(column.name, (None, ""))
        if name is None:
            faults.append(
                missing_column(files, table, column, [name for name, _ in group[0].columns])
            )
            continue
        expression = _parquet_expression(quoted_name(name), kind, column.data_type)
        if expression is None:
            faults.append(other_type(files, table, column, f"is {kind}"))
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
            faults.append(other_type(files, table, column, what))
    is_plain = all(
        kind in _plain_kinds(column.data_type)
        for column in table.columns
        for _, kind in [found[column.name]]
    )
    return (None if faults else Reading(relation, tuple(expressions), is_plain)), faults


def _plain_kinds(data_type: str) -> frozenset[str]:
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
        if kind in _plain_kinds(data_type):
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
