"""The gate's answer to a case: what `tenure check` does with a folder before it builds anything."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.database.sql_text import quoted_name
from orchestration.raw import landing
from orchestration.raw.contract import RawContract
from orchestration.raw.folder import open_raw_folder
from tests.hostile.cases import Case
from tests.orchestration.samples import write_table

# of Unix, who owns nothing
NOBODY = 65534

SECRET = "alice@example.com"  # noqa: S105 what must not be told, and no password


def write_good_folder(raw: Path, contract: RawContract) -> None:
    """A row of each table."""
    for table in contract.tables:
        write_table(raw / table.name / "part.parquet", table.name, contract)


@dataclass(frozen=True)
class Answer:
    """What the gate said: `refused`, with its lines, or `accepted`, with the rows of each table."""

    outcome: str
    lines: tuple[str, ...] = ()
    tables: frozenset[str | None] = frozenset()
    rows: tuple[tuple[str, int], ...] = ()


def answer(case: Case, good: Path, place: Path, contract: RawContract) -> Answer:
    """Does a case's harm to a copy of a good folder, and asks the gate."""
    # as folders of partitions are called, and patterns written
    raw = place / "plan_id=7" / "[raw]*"
    shutil.copytree(good, raw)
    case.harm(raw, contract)
    with _as_nobody(place) if case.as_nobody else nullcontext():
        return _asked(case, raw, contract)


@contextmanager
def _as_nobody(place: Path) -> Iterator[None]:
    """Does without root's right to open everything, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    for path in (place, *place.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _asked(case: Case, raw: Path, contract: RawContract) -> Answer:
    folder = open_raw_folder(raw, contract)
    inspection = landing.inspect(folder, contract)
    if inspection.faults:
        return Answer(
            "refused",
            tuple(str(fault) for fault in inspection.faults),
            frozenset(fault.table for fault in inspection.faults),
        )
    folder.fingerprint()
    folder.listing()
    with duckdb.connect() as connection:
        landing.lay_views(connection, inspection)
        rows = tuple(
            (table.name, _rows(connection, table.name))
            for table in contract.tables
            if table.name in {"plans", case.table}
        )
    return Answer("accepted", folder.notices, rows=rows)


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    # a hash of a row needs each of its values
    ((rows,),) = connection.execute(
        f"select count(hash(row_of)) from {quoted_name('raw', table)} as row_of"
    ).fetchall()
    return int(rows)


def judgement(case: Case, given: Answer) -> str | None:
    """What is wrong with an answer; None where it is as the case says."""
    if given.outcome != case.outcome:
        return f"{given.outcome}, not {case.outcome}: {given.lines}"
    if any(not line.isprintable() or SECRET in line for line in given.lines):
        return f"tells what it should not: {given.lines}"
    if given.outcome == "refused" and case.table not in given.tables:
        return f"names another table: {given.lines}"
    expected = {table: 1 + case.rows if table == case.table else 1 for table, _ in given.rows}
    if dict(given.rows) != expected:
        return f"read {dict(given.rows)} rows, not {expected}"
    return None
