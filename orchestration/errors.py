"""What can end a run, each with the exit status that the command line promises for it."""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

# errors of the engine that are about a value, and quote it
VALUE_ERROR = re.compile(
    r"\b(Constraint|Conversion|Invalid Input|Out of Range) Error\b"
    r"|\[[A-Z_.]*(CAST|OVERFLOW|OUT_OF_RANGE|INVALID_INPUT|CANNOT_PARSE)[A-Z_.]*\]"
)

# what may stand before the value: words, and the names of raw files, as the engine quotes them
BEFORE_VALUE = re.compile(
    r"""[^"']*(?:(?:"/[^"\n]*\.(?:parquet|csv)"|(?<=[Ff]ile )'/[^\n]*?\.(?:parquet|csv)')[^"']*)*"""
)

# of CSV the whole line is quoted, and then the file is named
CSV_LINE, CSV_FILE = "\nOriginal Line:", "\n  file = "

HIDDEN = "(not shown)"

# what the system may refuse of a path, which is no defect of the program
REFUSALS = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)

# what it says of a disk without room
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def counted(count: int, noun: str) -> str:
    """So many of something: `1 row`, `1,234 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """A text in one line, harmless to a terminal or a log: what shows nothing is escaped."""
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", errors="surrogatepass").decode("ascii")
        for character in text
    )


def without_values(message: str) -> str:
    """A message of the engine without what it quotes of a row, which may name a person.

    Errors about names, such as of a column that is not there, stay as they are.
    """
    if not VALUE_ERROR.search(message):
        return message
    line = message.find(CSV_LINE)
    if line >= 0:
        # a line may hold anything, even what looks like the end of itself
        file = message.rfind(CSV_FILE)
        rest = message[file:] if file > line else ""
        return f"{message[:line]} {HIDDEN}{rest}"
    before = BEFORE_VALUE.match(message)
    begin = before.end() if before else 0
    # what comes after may be the value once more, and without quotes
    return message if begin == len(message) else f"{message[:begin]}{HIDDEN}"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with what came in, and what to do about it, each a sentence.

    No value of a text column ever stands in a fault: messages end up in logs and tickets.
    """

    what: str
    advice: str = ""
    file: Path | None = None
    table: str | None = None
    column: str | None = None

    def __str__(self) -> str:
        """One line: where, what, what to do."""
        places = [
            f"file {self.file}" if self.file else None,
            f"table {self.table}" if self.table else None,
            f"column {self.column}" if self.column else None,
        ]
        where = ", ".join(place for place in places if place)
        told = [f"{where}: {self.what}" if where else self.what, self.advice]
        return printable(" ".join(f"{sentence}." for sentence in told if sentence))


class TenureError(Exception):
    """An end that was foreseen: it is told in words, never with a stack trace."""

    exit_status: ClassVar[int] = 1


class BuildError(TenureError):
    """Something broke while building or releasing; the last release stands."""

    exit_status = 1


class DamagedError(BuildError):
    """A file that should be a database is none any more, or only a part of one."""


class RefusedError(BuildError):
    """The system refused a file or a folder; the words name the path, and nothing of a row."""


class StoppedError(BuildError):
    """Somebody stopped the run, as by Ctrl-C."""

    def __init__(self, released: str | None = None) -> None:
        super().__init__(
            f"stopped: release {released} stands, and what follows on it may not be done"
            if released
            else "stopped: nothing was released and the last release stands"
        )


class InputError(TenureError):
    """Wrong usage or wrong input; holds every fault that was found, not only the first."""

    exit_status = 2

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(f"- {fault}" for fault in faults))

    @classmethod
    def from_text(cls, text: str) -> "InputError":
        """The error whose text this was, where the faults themselves stayed in another process."""
        error = cls(())
        error.args = (text,)
        return error


class AuditError(TenureError):
    """The audit said no: nothing was released and the last release stands."""

    exit_status = 3


def foreseen(error: Exception) -> Exception:
    """The error in words where the system refused a path or had no room; any other as it is."""
    if full := _full(error):
        return RefusedError(f"{printable(full)}. Make room there, or name another place")
    if isinstance(error, OSError) and error.errno in REFUSALS and error.filename is not None:
        told = f"{os.fsdecode(error.filename)}: {error.strerror}"
    elif type(error).__name__ == "IOException" and any(
        os.strerror(number) in str(error) for number in REFUSALS
    ):
        # the engine's own, without loading it to say so
        told = str(error).partition("\n")[0]
    else:
        return error
    return RefusedError(
        f"{printable(told)}. Let the user who runs this read and write there, or name another place"
    )


def _full(error: Exception) -> str | None:
    """What had no room; None where the error is about something else."""
    if isinstance(error, OSError) and error.errno in FULL:
        # what is printed has no name: a log or a terminal's other end
        where = "what is printed" if error.filename is None else os.fsdecode(error.filename)
        return f"{where}: {error.strerror}"
    if type(error).__name__ == "IOException" and any(os.strerror(n) in str(error) for n in FULL):
        return str(error).partition("\n")[0]
    return None


def as_told(exit_status: int, text: str) -> TenureError:
    """The error that ended with this status and text, where it happened in another process."""
    if exit_status == AuditError.exit_status:
        return AuditError(text)
    if exit_status == InputError.exit_status:
        return InputError.from_text(text)
    return BuildError(text)
