"""Whether raw data is fit for a run: what `tenure check` finds, and which marts that costs."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from orchestration.database.bookkeeping import RECONCILIATION
from orchestration.database.sql_text import quoted_name
from orchestration.database.warehouse import Warehouse, private_files
from orchestration.errors import BuildError, Fault, InputError, counted
from orchestration.progress import Reporter
from orchestration.raw import landing
from orchestration.raw.folder import open_raw_folder
from orchestration.settings import RunRequest
from orchestration.transform import verdicts
from orchestration.transform.horizon import check_horizon
from orchestration.transform.manifest import Manifest, NodeProperties
from orchestration.transform.parameters import AS_OF, Parameters, VarValue, check_parameters
from orchestration.transform.project import DbtBuild, DbtProject, NodeStarted, ParsedProject

# which raw rows are kept out, and why: a fixed name of the data contract
QUARANTINE = ("quality", "quarantined_rows")

QUARANTINE_LIMIT = "max_quarantined_share"


@dataclass(frozen=True)
class BrokenRule:
    """A row-level rule of the contract that rows of a table break."""

    table: str
    rule: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Fitness:
    """What a raw folder holds and what is wrong with it; `is_fit` if a run can release it.

    `costs` gives the marts to which a faulty or absent table leads, `empty_marts` those that have
    no row without the absent ones, `areas` all marts by area. The rules are only judged where the
    files' shape is right and they can be read: `are_rows_judged`.
    """

    inspection: landing.Inspection
    faults: tuple[Fault, ...]
    absent_tables: tuple[str, ...]
    broken_rules: tuple[BrokenRule, ...]
    costs: Mapping[str, tuple[str, ...]]
    empty_marts: tuple[str, ...] = ()
    areas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    are_rows_judged: bool = False

    @property
    def is_fit(self) -> bool:
        """Whether nothing found stands in the way of a release."""
        return not self.faults


def check(request: RunRequest, reporter: Reporter) -> Fitness:
    """Judges what is asked for, the raw folder's shape and then, in a new database, each row."""
    settings = request.settings
    project = DbtProject(settings.project_dir)
    contract = project.contract()
    findings = check_parameters(
        settings.project_dir, as_of=request.as_of, variables=request.variables
    )
    reporter.stage("looking at the raw files")
    folder = open_raw_folder(settings.raw.absolute(), contract)
    inspection = landing.inspect(folder, contract)
    faults = [*findings.faults, *inspection.faults]
    absent = inspection.absent
    if not inspection.tables:
        # there is no such folder
        return Fitness(inspection, tuple(faults), (), (), {})
    with tempfile.TemporaryDirectory(prefix="tenure-check-") as scratch, private_files():
        place = Warehouse(Path(scratch))
        place.prepare()
        reporter.stage("reading the project")
        parameters = findings.parameters
        # with a var that is wrong the project need not parse
        parsed = project.parse(
            place, parameters.without_overrides() if findings.faults else parameters
        )
        broken: tuple[BrokenRule, ...] | None = None
        if not faults:
            reporter.stage("judging the rows")
            broken, too_many = _judge_rows(place, parsed, parameters, inspection, reporter)
            faults.extend(too_many)
    concerned = {*absent, *(fault.table for fault in faults)}
    return Fitness(
        inspection,
        tuple(faults),
        absent,
        broken or (),
        costs=_costs(parsed.manifest, concerned),
        empty_marts=parsed.manifest.marts_empty_without(absent),
        areas=parsed.manifest.marts_by_area(),
        are_rows_judged=broken is not None,
    )


def _costs(manifest: Manifest, tables: Iterable[str | None]) -> dict[str, tuple[str, ...]]:
    return {table: manifest.marts_from(table) for table in sorted(filter(None, tables))}


def _judge_rows(
    place: Warehouse,
    parsed: ParsedProject,
    parameters: Parameters,
    inspection: landing.Inspection,
    reporter: Reporter,
) -> tuple[tuple[BrokenRule, ...] | None, list[Fault]]:
    """The rules that rows break, None if they could not be judged; what a run would end with."""
    with duckdb.connect(str(place.build_file)) as connection:
        landing.lay_views(connection, inspection)
        if too_late := check_horizon(connection, parsed.manifest, parameters.value(AS_OF)):
            return None, list(too_late)
    selected = tuple(".".join(node["fqn"]) for node in _judges(parsed.manifest))
    # models first: a test that fails must not keep the rules of other rows from being judged
    models = _run_dbt(
        reporter,
        parsed.project.start(
            place,
            parameters,
            tests="none",
            parsed=parsed.parsed,
            select=tuple(f"+{name}" for name in selected),
        ),
    )
    tests = _run_dbt(
        reporter,
        parsed.project.start(
            place,
            parameters,
            tests="only",
            parsed=parsed.parsed,
            select=selected,
            is_exact=True,
        ),
    )
    with duckdb.connect(str(place.build_file), read_only=True) as connection:

        def ask(query: str) -> list[Any]:
            return connection.execute(query).fetchall()

        def messages_of(unique_id: str) -> list[str]:
            return tests.failing_messages(ask, unique_id)

        for suspicion in verdicts.suspicions(parsed.manifest, tests.finished, messages_of):
            reporter.note(f"warning: {suspicion}")
        error = verdicts.build_error(
            parsed.manifest,
            [*models.finished, *tests.finished],
            raw_folder=inspection.folder.root,
            raw_files=[file.path for file in inspection.folder.files],
            warehouse=place.root,
            messages_of=messages_of,
        )
        if error and not isinstance(error, InputError):
            raise error
        faults = error.faults if isinstance(error, InputError) else ()
        if not all(node.is_success for node in models.finished):
            # a file that can't be read to its end: what stands on it was not built
            return None, list(faults)
        return _broken_rules(connection), [*faults, *tables_over_limit(connection, parameters)]


def _run_dbt(reporter: Reporter, build: DbtBuild) -> DbtBuild:
    for event in build:
        if isinstance(event, NodeStarted):
            reporter.advance(event.index - 1, event.total, event.unique_id.split(".")[2])
    if error := build.error():
        raise BuildError(f"the rows could not be judged: {error}")
    return build


def _judges(manifest: Manifest) -> list[NodeProperties]:
    """What a run would refuse input by: the account of the rows, and the tests of the input."""
    accounts = [
        node
        for node in manifest.models()
        if manifest.relation(node["unique_id"]) in (QUARANTINE, RECONCILIATION)
    ]
    return [*accounts, *manifest.input_tests()]


def _broken_rules(connection: duckdb.DuckDBPyConnection) -> tuple[BrokenRule, ...]:
    rows = connection.execute(
        "select table_name, rule, min(reason), count(*)"
        f" from {quoted_name(*QUARANTINE)} group by table_name, rule order by 1, 4 desc, 2"
    ).fetchall()
    return tuple(BrokenRule(*row) for row in rows)


def tables_over_limit(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> list[Fault]:
    """A fault for each table of which a build, by its account, keeps out more than a run allows.

    As in a run, a request may stay for somebody who was erased from the raw files as well.
    """
    limit = parameters.value(QUARANTINE_LIMIT)
    rows = connection.execute(
        f"select table_name, quarantined_rows, raw_rows from {quoted_name(*RECONCILIATION)}"
        f" left join (select table_name, count(*) as orphans from {quoted_name(*QUARANTINE)}"
        " where table_name = 'erasure_requests' and rule = 'missing_reference' group by table_name)"
        " using (table_name)"
        " where quarantined_rows - coalesce(orphans, 0) > raw_rows * ? order by table_name",
        [limit],
    ).fetchall()
    return [_over_limit(table, count, of, limit) for table, count, of in rows]


def _over_limit(table: str, rows: int, of: int, limit: VarValue) -> Fault:
    return Fault(
        f"{rows:,} of {counted(of, 'row')} against a rule, more than the share of {limit} that"
        f" {QUARANTINE_LIMIT} allows",
        "Mend them at the source, or raise the share if they may be lost",
        table=table,
    )
