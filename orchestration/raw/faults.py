"""What is wrong with raw files, in words that quote no value: any may be personal."""

import re
from collections.abc import Iterable

from orchestration.database.sql_text import quoted_text
from orchestration.errors import Fault
from orchestration.raw.contract import RawColumn, RawTable
from orchestration.raw.folder import RawFile

EXPECTED = {
    "string": ("text", "Write it as text"),
    "bigint": ("a whole number", "Write it as an integer of 64 bits at most, without decimals"),
    "timestamp": (
        "a timestamp",
        "Write it as a timestamp of a day that there is, such as 2026-01-31 23:59:59, in UTC",
    ),
    "date": ("a date", "Write it as a date that there is, such as 2026-01-31"),
    "boolean": ("true or false", "Write it as a boolean, true or false"),
    "decimal": ("a number", "Write it as a decimal or a double, with a point"),
}

MAX_SHOWN_CHARACTERS = 30
MAX_SHOWN_NAMES = 30
PLAIN_NAME = re.compile(r"\w{1,63}", re.ASCII)


def unopenable(file: RawFile, error: OSError) -> Fault:
    """The system does not open the file."""
    reason = error.strerror or type(error).__name__
    return Fault(
        f"the file can't be opened: {reason}",
        "Let the user who runs this read it",
        file=file.path,
        table=file.table,
    )


def missing_column(
    files: list[RawFile], table: RawTable, column: RawColumn, found: Iterable[str]
) -> Fault:
    """Files lack a column; `found` are those that they have."""
    expected, _ = EXPECTED[family(column)]
    optional = ", all empty if nothing is known" if column.is_nullable else ""
    return in_files(
        f"the column is missing; {_found_names(table, tuple(found))}",
        f"Add {column.name}, {expected}{optional}",
        files,
        table,
        column,
    )


def _found_names(table: RawTable, found: tuple[str, ...]) -> str:
    # the first line of a file without names is a row, and may be personal
    if not any(is_known(table, name.lower()) for name in found):
        return f"none of the {len(found)} found is one of this table"
    told = [name if PLAIN_NAME.fullmatch(name) else shape(name) for name in found[:MAX_SHOWN_NAMES]]
    return f"found are {', '.join(told)}" + (" …" if len(found) > MAX_SHOWN_NAMES else "")


def other_type(files: list[RawFile], table: RawTable, column: RawColumn, found: str) -> Fault:
    """A column of files is of another type than the contract says."""
    expected, advice = EXPECTED[family(column)]
    return in_files(f"{found}; expected is {expected}", advice, files, table, column)


def in_files(
    what: str,
    advice: str,
    files: list[RawFile],
    table: RawTable,
    column: RawColumn | None = None,
) -> Fault:
    """Something is wrong with files: the first is named, the others are counted."""
    others = len(files) - 1
    likewise = f" (likewise in {others} other file{'s' if others > 1 else ''})" if others else ""
    return Fault(
        what + likewise,
        advice,
        file=files[0].path,
        table=table.name,
        column=column.name if column else None,
    )


def is_known(table: RawTable, name: str) -> bool:
    """Whether the contract has a column of that name in the table."""
    return any(column.name == name for column in table.columns)


def shape(value: str) -> str:
    """A value with letters and digits hidden: columns may be shifted, so any may be personal."""
    hidden = "".join(
        "9" if character.isdigit() else "a" if character.isalpha() else character
        for character in value[:MAX_SHOWN_CHARACTERS]
    )
    return quoted_text(hidden + ("…" if len(value) > MAX_SHOWN_CHARACTERS else ""))


def family(column: RawColumn) -> str:
    """The type of a column without its size."""
    return column.data_type.partition("(")[0]
