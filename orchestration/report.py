"""What a person is told at the end of a command, read from the release itself."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration import bookkeeping, landing, release
from orchestration.bookkeeping import CheckResult
from orchestration.errors import Fault
from orchestration.manifest import Manifest
from orchestration.parameters import check_parameters
from orchestration.project import DbtProject
from orchestration.raw_contract import RawContract
from orchestration.raw_folder import open_raw_folder
from orchestration.settings import Settings
from orchestration.sql_text import quoted_name
from orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    from orchestration.refresh_job import Finished

# the released account of what became of each raw row
RECONCILIATION = ("quality", "row_reconciliation")

MAX_WARNINGS = 10


def print_run(console: Console, finished: "Finished") -> None:
    """What was built, what the checks found, what was quarantined, where it is, how to look."""
    place = finished.warehouse
    released = release.read_release(place.release_file)
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
    say(
        f'Look      python -c "import duckdb; '
        f"duckdb.connect('{place.release_file}', read_only=True)"
        f".sql('from marts.mrr_bridge_monthly').show()\""
    )
    say("Again     tenure status; the release before this one: tenure rollback")


def print_status(console: Console, place: Warehouse) -> None:
    """The release that stands, its checks, and what else is kept."""
    say = _line(console)
    current = release.current_release(place)
    if current is None:
        say(f"No release in {place.root} yet: tenure run --raw DIR --warehouse {place.root}")
        return
    say(f"Release {current.release_id}, as of {current.as_of:%Y-%m-%d %H:%M:%S} UTC")
    say(f"Released {current.released_at:%Y-%m-%d %H:%M:%S} UTC, project {current.project_version}")
    if current.parameters:
        told = ", ".join(f"{name} = {value}" for name, value in current.parameters.items())
        say(f"Parameters: {told}")
    say(f"{len(current.row_counts)} tables, {sum(current.row_counts.values()):,} rows")
    _print_checks(console, place)
    _print_quarantine(console, place)
    say("")
    for kept in reversed(release.kept_releases(place)):
        say(f"  {kept}{'  current' if kept == current.release_id else ''}")


def print_rollback(console: Console, place: Warehouse, restored: release.Release) -> None:
    """What readers get now."""
    say = _line(console)
    say(f"Release {restored.release_id} stands, as of {restored.as_of:%Y-%m-%d %H:%M:%S} UTC")
    say(f"Marts     {place.release_file}")


def print_check(console: Console, settings: Settings) -> bool:
    """Tells what a raw folder holds and what is wrong with it; returns whether a run can use it."""
    project = DbtProject(settings.project_dir)
    contract = project.contract()
    findings = check_parameters(settings.project_dir)
    folder = open_raw_folder(settings.raw.absolute(), contract)
    inspection = landing.inspect(folder, contract)
    faults = (*findings.faults, *inspection.faults)
    say = _line(console)
    if inspection.tables:
        console.print(_findings_table(inspection, contract))
    for notice in folder.notices:
        say(f"note: {notice}")
    absent = _absent_tables(inspection)
    if faults or absent:
        manifest = _manifest(project, settings)
        for table in absent:
            _print_cost(console, manifest, table, "none came; read as one with no rows")
        for table in sorted({fault.table for fault in faults if fault.table}):
            _print_cost(console, manifest, table, "faulty")
    for fault in faults:
        say(f"- {fault}")
    say(f"{len(faults)} faults: not fit for a run" if faults else "Fit for a run")
    return not faults


def _manifest(project: DbtProject, settings: Settings) -> Manifest:
    place = Warehouse(settings.warehouse.absolute())
    place.prepare()
    return project.manifest(place, check_parameters(settings.project_dir).parameters)


def _absent_tables(inspection: landing.Inspection) -> list[str]:
    return [
        findings.table.name
        for findings in inspection.tables
        if not findings.files and not findings.table.is_required
    ]


def _print_cost(console: Console, manifest: Manifest, table: str, why: str) -> None:
    released = manifest.released_from(table)
    _line(console)(f"{table} ({why}) leads to: {', '.join(released) or 'no released table'}")


def _findings_table(inspection: landing.Inspection, contract: RawContract) -> Table:
    faults = Counter(fault.table for fault in inspection.faults)
    shown = Table("table", "needed", "files", "rows", "faults", box=None)
    for findings in inspection.tables:
        table = contract.table(findings.table.name)
        shown.add_row(
            table.name,
            "required" if table.is_required else "optional",
            str(findings.files),
            f"{findings.rows:,}",
            str(faults[table.name]) if faults[table.name] else "",
        )
    return shown


def _print_checks(console: Console, place: Warehouse) -> None:
    say = _line(console)
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        results = bookkeeping.read_checks(connection, quoted_name(*release.CHECK_RESULTS))
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
