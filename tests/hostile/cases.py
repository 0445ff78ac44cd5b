"""Raw folders that an attacker, or a bad day, might leave: each a change to a good folder.

A case says what the gate has to do: `refused`, with a fault that names the table, or `accepted`,
with every row there. Cases are made of kinds of harm times formats and types of columns, so that
each meets each harm that can be done to it.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.database.sql_text import quoted_text
from orchestration.raw.contract import RawColumn, RawContract, RawTable
from tests.orchestration.samples import write_table

Outcome = Literal["refused", "accepted"]

# a text of this many characters in one cell
LONG_TEXT = 10_000_000
# each with a text of a tenth of that in each column of text: gigabytes, of a file of kilobytes
BOMB_ROWS = 2_000
CLAIMED_ROWS = 50_000_000

HARMLESS_TEXTS = {
    "a formula": '=cmd|"/c calc"!A1',
    "another formula": "@SUM(1+1)*cmd",
    "a quote": "o'; drop table raw.plans; --",
    "a double quote": 'o"; drop table raw.plans; --',
    "a template": "{{ env_var('HOME') }} {% raw %} ${HOME}",
    "a path": "../../../../etc/passwd",
    "right to left": "\u202egnp.exe",
    "zero width": "a\u200bb\u200d\ufeff",
    "an emoji": "👩‍👩‍👧‍👦",
    "a control": "\x1b[2J\x07",
    "a line break": "a\r\nb\nc",
    "the last character": "\U0010ffff",
    "nothing": "",
    "a log line": "x\n2026-01-01 ERROR all is lost",
    "NUL": "a\0b",
}

NUMBERS_THAT_ARE_NONE = (
    "NaN", "inf", "-inf", "0x10", "1_000", "1,5", "٣", "--1", "1 2", "=1+1",
)  # fmt: skip
NUMBERS_TOO_LARGE = ("1e400", "9" * 40)
INSTANTS_THAT_ARE_NONE = (
    "0000-00-00", "2025-02-30", "10000-01-01 00:00:00", "infinity", "now", "1e9", "yesterday",
    "2025-01-01T25:00:00Z", "2025-13-01", "-0001-01-01",
)  # fmt: skip
INSTANTS_FAR_AWAY = ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "1582-10-10 00:00:00")

HOSTILE_NAMES = (
    "a'b", 'a"b', "a;drop table x", "a b", "a\nb", "a..b", "a{{b}}", "a%b", "a*b", "a?b", "[a]",
    "$(id)", "-rf", "\u202efdp", "é" * 60, "a,b", "a=b", "~", "#a",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A harm: what it is, how it is done to a good raw folder, and what the gate has to say."""

    name: str
    harm: Callable[[Path, RawContract], None]
    outcome: Outcome
    # of which one file is added or harmed; none where all tables stay as they were
    table: str | None = None
    # that the added file brings where it is accepted
    rows: int = 1
    # done as a user who is not root, for whom nothing is closed
    as_nobody: bool = False


def all_cases(contract: RawContract) -> list[Case]:
    """Every case, in an order that is always the same."""
    return [
        *_cases_of_names(),
        *_cases_of_files(),
        *_cases_of_texts(),
        *_cases_of_values(contract),
        *_cases_of_types(contract),
    ]


def _cases_of_names() -> Iterator[Case]:
    for name in HOSTILE_NAMES:
        for suffix in (".parquet", ".csv"):
            yield Case(
                f"file {name!r}{suffix}",
                lambda raw, contract, name=name, suffix=suffix: _write_as(
                    raw / "plans" / f"{name}{suffix}", contract
                ),
                "accepted",
                "plans",
            )
        yield Case(
            f"folder {name!r}",
            lambda raw, _, name=name: _strange_folder(raw / name),
            "accepted",
        )


def _cases_of_files() -> Iterator[Case]:
    yield Case(
        "a name that is a pattern of another",
        lambda raw, contract: _patterns(raw / "plans", contract),
        "accepted",
    )
    for kind in (".parquet", ".csv"):
        for name, harm in FILE_HARMS.items():
            yield Case(
                f"{name} as {kind}",
                lambda raw, _, kind=kind, harm=harm: harm(raw / "plans" / f"bad{kind}"),
                "refused",
                "plans",
            )
    for share in range(5, 100, 10):
        yield Case(
            f"Parquet cut at {share} %",
            lambda raw, _, share=share: _cut(raw / "payments" / "part.parquet", share),
            "refused",
            "payments",
        )
    yield Case("claimed rows", _claim_rows, "refused", "plans")
    yield Case("a bomb in all columns", _bomb, "accepted", "plans", rows=BOMB_ROWS)
    for kind in (".parquet", ".csv"):
        yield Case(
            f"a file that may not be read as {kind}",
            lambda raw, _, kind=kind: _locked(raw / "plans" / f"bad{kind}"),
            "refused",
            "plans",
            as_nobody=True,
        )
    yield Case(
        "a folder that may not be read",
        lambda raw, _: (raw / "plans").chmod(0),
        "refused",
        "plans",
        as_nobody=True,
    )
    yield Case(
        "a raw folder that may not be read",
        lambda raw, _: raw.chmod(0),
        "refused",
        as_nobody=True,
    )
    yield Case(
        "name that is not UTF-8",
        lambda raw, _: (raw / os.fsdecode(b"plans/a\xff.parquet")).write_bytes(b""),
        "refused",
        "plans",
    )
    yield Case(
        "link to a loop",
        lambda raw, _: (raw / "plans" / "loop.csv").symlink_to("loop.csv"),
        "refused",
        "plans",
    )


def _cases_of_texts() -> Iterator[Case]:
    for suffix in (".parquet", ".csv"):
        for name, text in HARMLESS_TEXTS.items():
            yield Case(
                f"{name} in a text of {suffix}",
                lambda raw, contract, text=text, suffix=suffix: _with_value(
                    raw, contract, "plans", "plan_name", _text(text), suffix
                ),
                "accepted",
                "plans",
            )
        yield Case(
            f"10 MB in a text of {suffix}",
            lambda raw, contract, suffix=suffix: _with_value(
                raw, contract, "plans", "plan_name", f"repeat('x', {LONG_TEXT})", suffix
            ),
            # a line of CSV has a limit, which is told; Parquet has none
            "refused" if suffix == ".csv" else "accepted",
            "plans",
        )


def _cases_of_values(contract: RawContract) -> Iterator[Case]:
    for table, column in _samples(contract):
        texts: tuple[tuple[str, Outcome], ...] = ()
        if column.data_type == "bigint" or column.data_type.startswith("decimal"):
            # a rate that is too large is null once it is read, and quarantined as such
            of_large: Outcome = "refused" if column.data_type == "bigint" else "accepted"
            texts = (
                *((text, "refused") for text in NUMBERS_THAT_ARE_NONE),
                *((text, of_large) for text in NUMBERS_TOO_LARGE),
            )
        elif column.data_type in {"timestamp", "date"}:
            far = INSTANTS_FAR_AWAY if column.data_type == "timestamp" else ()
            texts = (
                *((text, "refused") for text in INSTANTS_THAT_ARE_NONE),
                *((text, "accepted") for text in far),
            )
        for text, outcome in texts:
            yield Case(
                f"{text!r} in {table.name}.{column.name}",
                lambda raw, contract, table=table, column=column, text=text: _with_value(
                    raw, contract, table.name, column.name, quoted_text(text), ".csv"
                ),
                outcome,
                table.name,
            )
    for value in ("'nan'::double", "'inf'::double", "'-inf'::double"):
        yield Case(
            f"{value} as a rate of Parquet",
            lambda raw, contract, value=value: _with_value(
                raw, contract, "exchange_rates", "rate", value, ".parquet"
            ),
            # null once it is read, and quarantined as such
            "accepted",
            "exchange_rates",
        )
    for value in (
        "170141183460469231731687303715884105727::hugeint",
        "18446744073709551615::ubigint",
    ):
        yield Case(
            f"{value} in a whole number of Parquet",
            lambda raw, contract, value=value: _with_value(
                raw, contract, "payments", "amount_minor", value, ".parquet"
            ),
            "refused",
            "payments",
        )


def _cases_of_types(contract: RawContract) -> Iterator[Case]:
    wrong = {
        "a list": "[1, 2]",
        "a struct": "{'a': {'b': [{'c': 1}]}}",
        "a map": "map {'a': 1}",
        "bytes": "'\\xFF\\x00'::blob",
        "an interval": "interval 1 day",
        "a list of lists": "[[[[[[1]]]]]]",
    }
    for table, column in _samples(contract):
        for name, value in wrong.items():
            yield Case(
                f"{name} in {table.name}.{column.name}",
                lambda raw, contract, table=table, column=column, value=value: _with_value(
                    raw, contract, table.name, column.name, value, ".parquet"
                ),
                "refused",
                table.name,
            )


def _samples(contract: RawContract) -> list[tuple[RawTable, RawColumn]]:
    """A column of each type."""
    first: dict[str, tuple[RawTable, RawColumn]] = {}
    for table in contract.tables:
        for column in table.columns:
            first.setdefault(column.data_type, (table, column))
    return list(first.values())


# --- harms -------------------------------------------------------------------------------------


def _write_as(path: Path, contract: RawContract) -> None:
    write_table(path, "plans", contract)


def _patterns(folder: Path, contract: RawContract) -> None:
    """Puts files there of which one, read as a pattern, is all of them."""
    (folder / "part.parquet").unlink()
    write_table(folder / "*.parquet", "plans", contract, rows=0)
    write_table(folder / "p.parquet", "plans", contract)


def _strange_folder(path: Path) -> None:
    path.mkdir()
    (path / "part.parquet").write_bytes(b"PAR1")


def _with_value(
    raw: Path, contract: RawContract, table: str, column: str, value: str, suffix: str
) -> None:
    write_table(raw / table / f"bad{suffix}", table, contract, **{column: value})


def _text(text: str) -> str:
    """A text as SQL, in which NUL can't stand in quotes."""
    return " || chr(0) || ".join(quoted_text(part) for part in text.split("\0"))


def _cut(path: Path, share: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: max(1, len(content) * share // 100)])


def _claim_rows(raw: Path, contract: RawContract) -> None:
    """Puts a small Parquet file there that unpacks to many rows of the wrong columns."""
    del contract
    constant = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), ["x" * 1000])
    table = pa.table({"plan_id": constant})
    with pq.ParquetWriter(raw / "plans" / "bad.parquet", table.schema, compression="zstd") as bomb:
        for _ in range(CLAIMED_ROWS // 1_000_000):
            bomb.write_table(table)


def _bomb(raw: Path, contract: RawContract) -> None:
    """Puts a Parquet file of a few kilobytes there, of whose columns each text is a megabyte."""
    path = raw / "plans" / "bad.parquet"
    write_table(path, "plans", contract)
    row = pq.read_table(path)
    columns = {}
    for name in row.column_names:
        kind = row.schema.field(name).type
        value = "x" * (LONG_TEXT // 10) if pa.types.is_string(kind) else row.column(name)[0].as_py()
        # one value, to which each row points
        indices = pa.array([0] * BOMB_ROWS, pa.int32())
        columns[name] = pa.DictionaryArray.from_arrays(indices, pa.array([value], kind))
    pq.write_table(pa.table(columns), path, compression="zstd")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(to: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(to)


def _content(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def _folder(path: Path) -> None:
    path.mkdir()
    (path / path.name).write_bytes(b"")


def _locked(path: Path) -> None:
    path.write_bytes(b"plan_id\n")
    path.chmod(0)


FILE_HARMS: dict[str, Callable[[Path], None]] = {
    "an empty file": lambda path: path.touch(),
    "a pipe": _fifo,
    "a folder": _folder,
    "a link out": _link("/etc/passwd"),
    "a link to a device": _link("/dev/zero"),
    "a link to a random device": _link("/dev/urandom"),
    "a link to nothing": _link("nowhere"),
    "a link to a folder": _link("/"),
    "only NUL": _content(b"\0" * 4096),
    "bytes that are no text": _content(bytes(range(128, 256)) * 64),
    "a surrogate": _content(b"plan_id\n\xed\xa0\x80\n"),
    "only a mark": _content(b"\xef\xbb\xbf"),
    "a mark of Parquet": _content(b"PAR1"),
    "marks of Parquet": _content(b"PAR1" * 3),
    "a footer longer than the file": _content(b"PAR1\xff\xff\xff\x7fPAR1"),
    "an unclosed quote": _content(b'"plan_id' + b"x" * 100_000),
    "a page of the web": _content(b"<html><body>404</body></html>"),
    "a packed file": _content(b"\x1f\x8b\x08\0" + b"\0" * 100),
    "UTF-16": _content("plan_id,plan_name\n1,2\n".encode("utf-16")),
    "a row where names should be": _content(b"su_1,alice@example.com,BR\n"),
    "a header of a thousand columns": _content(b",".join(b"c%d" % n for n in range(1000)) + b"\n"),
}
