"""What a person is told at the end of a command, read from the release itself."""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.commands import fitness
from orchestration.database import bookkeeping
from orchestration.database.bookkeeping import RECONCILIATION, CheckResult
from orchestration.database.sql_text import quoted_name
from orchestration.database.warehouse import Warehouse
from orchestration.errors import Fault, counted
from orchestration.releases import erasure
from orchestration.releases.candidate import CHECK_RESULTS
from orchestration.releases.kept import Release, current_release, kept_releases, read_release
from orchestration.transform.parameters import VarValue

if TYPE_CHECKING:
    from orchestration.refresh_job import Finished
    from orchestration.releases.postgres import Published

MAX_WARNINGS = 10
MAX_NAMED_MARTS = 7


def print_run(console: Console, finished: "Finished") -> None:
    """What was built, what the checks found, what was quarantined, where it is, how to look."""
    place = finished.warehouse
    released = read_release(place.release_file)
    console.rule("released")
    say = _line(console)
    say(f"Release {released.release_id}, as of {released.as_of:%Y-%m-%d %H:%M:%S} UTC")
    say(
        f"Built {finished.nodes_built} models and seeds;"
        f" released {len(released.row_counts)} tables,"
        f" {sum(released.row_counts.values()):,} rows"
    )
    _print_checks(console, place)
    _print_quarantine(console, place)
    say("")
    say(f"Marts     {place.release_file}")
    say(f"Parquet   {place.parquet_link}/<schema>/<table>.parquet")
    say(f"Checks    {place.checks_page}")
    say(f"Page      {place.dashboard_page}")
    say(f"Look      {look_command(place, min(released.row_counts))}")
    where = place.option
    say(f"Look at it {_program()} dashboard {where}")
    back = f"; the release before this one: {_program()} rollback {where}"
    is_first = kept_releases(place) == [released.release_id]
    say(f"Again     {_program()} status {where}{'' if is_first else back}")


def look_command(place: Warehouse, table: str) -> str:
    """A command for a shell that shows a released table, wherever the release lies."""
    # JSON's text is Python's, in the quotes that a shell needs no others for
    file = json.dumps(str(place.release_file), ensure_ascii=False)
    look = f'duckdb.connect({file}, read_only=True).sql("from {table}").show()'
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(f'import duckdb; {look}')}"


def _program() -> str:
    # as it was called: it need not be where a shell looks
    called = sys.argv[0]
    return shlex.quote(called) if Path(called).name == "tenure" else "tenure"


def print_status(console: Console, place: Warehouse, usual: Mapping[str, VarValue]) -> None:
    """The release that stands, its vars that are not the `usual`, its checks, what else is kept."""
    say = _line(console)
    current = current_release(place)
    if current is None:
        say(f"No release in {place.root} yet: {_program()} run --raw DIR {place.option}")
        return
    say(f"Release {current.release_id}, as of {current.as_of:%Y-%m-%d %H:%M:%S} UTC")
    say(f"Released {current.released_at:%Y-%m-%d %H:%M:%S} UTC, project {current.project_version}")
    unusual = [
        f"{name} = {value}"
        for name, value in current.parameters.items()
        if name not in usual or value != usual[name]
    ]
    if unusual:
        say(f"Parameters: {', '.join(unusual)}")
    say(f"{len(current.row_counts)} tables, {sum(current.row_counts.values()):,} rows")
    _print_checks(console, place)
    _print_quarantine(console, place)
    say("")
    for kept in reversed(kept_releases(place)):
        say(f"  {kept}{'  current' if kept == current.release_id else ''}")


def print_rollback(console: Console, place: Warehouse, restored: Release) -> None:
    """What readers get now."""
    say = _line(console)
    say(f"Release {restored.release_id} stands, as of {restored.as_of:%Y-%m-%d %H:%M:%S} UTC")
    say(f"Marts     {place.release_file}")


def print_published(console: Console, published: "Published") -> None:
    """What stands in the database now."""
    say = _line(console)
    released = published.release
    say(
        f"Release {released.release_id} stands in PostgreSQL at {published.told}:"
        f" {published.tables} tables, {published.rows:,} rows"
    )
    if published.uncleaned:
        say(f"Its tables were not vacuumed, and the server does it later: {published.uncleaned}")
    say("Give readers the role: grant bi_reader to somebody")


def print_erasure(console: Console, written: erasure.Written) -> None:
    """What was asked for, and which run does it."""
    say = _line(console)
    say(f"Asked to erase {counted(written.subscribers, 'subscriber')}: {written.path}")
    say(
        f"The next run as of a time after {written.requested_at:%Y-%m-%d %H:%M:%S} UTC does it;"
        " without --as-of that is one whose newest record is later"
    )


def print_check(console: Console, found: fitness.Fitness) -> None:
    """What a raw folder holds, what is wrong with it, and which marts that costs."""
    say = _line(console)
    if found.inspection.tables:
        console.print(_findings_table(found))
    for notice in found.inspection.folder.notices:
        say(f"note: {notice}")
    for broken in found.broken_rules:
        say(
            f"{broken.table}: {counted(broken.rows, 'row')} against {broken.rule}. {broken.reason}."
        )
    for table, marts in found.costs.items():
        why = (
            "none came: read as a table with no rows" if table in found.absent_tables else "faulty"
        )
        say(f"{table} ({why}) leads to: {_marts_in_short(marts, found.areas)}")
    if found.empty_marts:
        say(f"Empty for want of tables that did not come: {', '.join(found.empty_marts)}")
    for fault in found.faults:
        say(f"- {fault}")
    if found.is_fit:
        say("Fit for a run")
        return
    if found.inspection.tables and not found.are_rows_judged:
        say("The rows were not judged: mend what is wrong and check again")
    faults = len(found.faults)
    say(f"Not fit for a run: {faults} {'fault' if faults == 1 else 'faults'}")


def _marts_in_short(marts: Sequence[str], areas: Mapping[str, Sequence[str]]) -> str:
    """Marts by name; where they are many, how many of which area, or all but which."""
    if len(marts) <= MAX_NAMED_MARTS:
        return ", ".join(marts) or "no mart"
    spared = [mart for area in areas.values() for mart in area if mart not in marts]
    if not spared:
        return f"all {len(marts)} marts"
    if len(spared) <= MAX_NAMED_MARTS:
        return f"all marts but {', '.join(sorted(spared))}"
    told = []
    for area, all_of in areas.items():
        touched = sum(mart in marts for mart in all_of)
        if touched:
            of = "all" if touched == len(all_of) else f"{touched} of {len(all_of)}"
            told.append(f"{area} ({of})")
    return f"{len(marts)} of {len(marts) + len(spared)} marts: {', '.join(told)}"


def _findings_table(found: fitness.Fitness) -> Table:
    faults = Counter(fault.table for fault in found.faults)
    broken = Counter[str]()
    for rule in found.broken_rules:
        broken[rule.table] += rule.rows
    shown = Table("table", "needed", "files", "rows", "rows in breach", "faults", box=None)
    for findings in found.inspection.tables:
        table = findings.table
        shown.add_row(
            table.name,
            "required" if table.is_required else "optional",
            str(findings.files),
            f"{findings.rows:,}",
            f"{broken[table.name]:,}" if broken[table.name] else "",
            str(faults[table.name]) if faults[table.name] else "",
        )
    return shown


def _print_checks(console: Console, place: Warehouse) -> None:
    say = _line(console)
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        results = bookkeeping.read_checks(connection, quoted_name(*CHECK_RESULTS))
    passed = Counter(result.kind for result in results if result.status == "passed")
    all_of = Counter(result.kind for result in results)
    told = [f"{passed[kind]} of {count} {kind}s" for kind, count in sorted(all_of.items())]
    say(f"Checks passed: {', '.join(told) or 'none were made'}")
    warned = [result for result in results if result.status != "passed"]
    for result in warned[:MAX_WARNINGS]:
        _print_warning(console, result)
    if len(warned) > MAX_WARNINGS:
        say(f"  and {len(warned) - MAX_WARNINGS} more in quality.check_results")


def _print_warning(console: Console, result: CheckResult) -> None:
    fault = Fault(
        f"{result.check_name}: {result.message}",
        (result.what_to_do or "See quality.check_results").removesuffix("."),
        table=result.table_name,
        column=result.column_name,
    )
    _line(console)(f"  warning: {fault}")


def _print_quarantine(console: Console, place: Warehouse) -> None:
    say = _line(console)
    query = (
        "select table_name, quarantined_rows, raw_rows"
        f" from {quoted_name(*RECONCILIATION)} where quarantined_rows > 0 order by table_name"
    )
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        try:
            rows = connection.execute(query).fetchall()
        except duckdb.CatalogException:
            # a project may leave the account out
            return
    if not rows:
        say("Quarantined rows: none")
        return
    say("Quarantined rows (why: quality.quarantined_rows):")
    for table, quarantined, raw in rows:
        say(f"  {table}: {quarantined:,} of {raw:,}")


def _line(console: Console) -> Callable[[str], None]:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    return say
