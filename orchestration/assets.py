"""The assets of the way: raw tables, dbt models, audit, release.

A thin shell: what an asset does is said in the modules beside this one.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from orchestration import (
    audit,
    bookkeeping,
    dashboard_page,
    erasure,
    increments,
    landing,
    release,
    verdicts,
)
from orchestration.bookkeeping import CheckResult
from orchestration.data_tests import parent_test, told_apart
from orchestration.errors import BuildError, DamagedError, InputError, TenureError
from orchestration.horizon import check_horizon
from orchestration.manifest import FITTED_SOURCE, RELEASED_SCHEMAS, Manifest
from orchestration.parameters import AS_OF, Parameters, check_parameters
from orchestration.progress import Reporter
from orchestration.project import DbtBuild, DbtProject, NodeStarted
from orchestration.raw_contract import SOURCE_NAME, RawContract
from orchestration.raw_folder import open_raw_folder
from orchestration.runbook import page_of_expectation, page_of_rule
from orchestration.settings import Settings
from orchestration.spark import TYPE as SPARK
from orchestration.spark import Spark, check_target, read_outside_spark, targets
from orchestration.warehouse import (
    REBUILT,
    Warehouse,
    disk_full_message,
    disk_full_told,
    is_disk_full,
    private_files,
    unreadable_told,
)

# the build's database takes one writer at a time
POOL = "duckdb"

# in the metadata of a failure, for whoever ends the process
EXIT_STATUS = "exit_status"

UNIQUE_ID = "dagster_dbt/unique_id"

# what stands on tables that Python fits can only be built once these are fitted
ON_FITS = f"source:{FITTED_SOURCE}+"

AUDIT_KEY = dg.AssetKey("audit")
RELEASE_KEY = dg.AssetKey("release")
DASHBOARD_KEY = dg.AssetKey("dashboard")


class Refresh(dg.ConfigurableResource["Refresh"]):
    """What one run works on, with the warehouse held for it alone from first step to last."""

    raw: str
    warehouse: str
    project_dir: str
    target: str = "embedded"
    as_of: str | None = None
    variables: str | None = None
    full_refresh: bool = False
    reporter: dg.ResourceDependency[Reporter]

    @property
    def project(self) -> DbtProject:
        """The dbt project that is run."""
        return DbtProject(Path(self.project_dir), self.target)

    @property
    def place(self) -> Warehouse:
        """The warehouse that is written to."""
        return Warehouse(Path(self.warehouse).absolute())

    @property
    def spark(self) -> Spark | None:
        """The Spark that builds; None where DuckDB does."""
        if targets(self.project.root)[self.target]["type"] != SPARK:
            return None
        return Spark(self.project.root, self.target, self.place)

    @property
    def raw_folder(self) -> Path:
        """The folder of raw files."""
        return Path(self.raw).absolute()

    def parameters(self) -> Parameters:
        """The checked parameters; raises InputError where one is wrong."""
        findings = check_parameters(self.project.root, as_of=self.as_of, variables=self.variables)
        if findings.faults:
            raise InputError(findings.faults)
        return findings.parameters

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Refresh"]:
        """Waits for its turn on the warehouse and clears away what a killed run left."""
        del context
        self.place.prepare()
        with self.place.build_lock(
            on_wait=lambda: self.reporter.note(
                f"another run has the warehouse {self.place.root}; waiting for it to end"
            )
        ):
            yield self


class Translator(DagsterDbtTranslator):
    """Groups models by the schema in which a reader finds them."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema."""
        return str(dbt_resource_props["schema"])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """The team that a model names in its meta as `owner`."""
        owner = dbt_resource_props.get("config", {}).get("meta", {}).get("owner")
        return [f"team:{owner}"] if owner else None


def runbook_page(page: str) -> dg.MetadataValue[Any]:
    """Where the runbook tells of a check, as a link where it is one."""
    address = f"{Settings().alert_runbook_url}#{page}"
    return dg.MetadataValue.url(address) if "://" in address else dg.MetadataValue.text(address)


@contextmanager
def told_to_dagster() -> Iterator[None]:
    """Turns a foreseen end into a failure that carries its exit status and is not tried again."""
    try:
        yield
    except TenureError as error:
        raise dg.Failure(
            description=str(error),
            metadata={EXIT_STATUS: error.exit_status},
            allow_retries=False,
        ) from error


def build_landing_asset(contract: RawContract, manifest: Manifest) -> dg.AssetsDefinition:
    """The raw tables: judged whole, then laid as views over their files."""

    @dg.multi_asset(
        name="landing",
        specs=[
            dg.AssetSpec(
                [SOURCE_NAME, table.name],
                group_name=SOURCE_NAME,
                description=f"Files of `{table.name}`, "
                + ("required." if table.is_required else "optional."),
                kinds={"duckdb"},
            )
            for table in contract.tables
        ],
        pool=POOL,
    )
    def land(refresh: Refresh) -> Iterator[dg.MaterializeResult[None]]:
        with told_to_dagster():
            inspection = _land(refresh, contract, manifest)
        for findings in inspection.tables:
            yield dg.MaterializeResult(
                asset_key=[SOURCE_NAME, findings.table.name],
                metadata={"dagster/row_count": findings.rows, "files": findings.files},
            )

    return land


def _notices(inspection: landing.Inspection) -> Iterator[str]:
    yield from inspection.folder.notices
    if inspection.absent:
        yield f"no file of {', '.join(inspection.absent)}: read as without rows"


def _land(refresh: Refresh, contract: RawContract, manifest: Manifest) -> landing.Inspection:
    reporter = refresh.reporter
    reporter.stage("looking at the raw files")
    findings = check_parameters(
        refresh.project.root, as_of=refresh.as_of, variables=refresh.variables
    )
    folder = open_raw_folder(refresh.raw_folder, contract)
    tables = [table.name for table in contract.tables]
    inspection = landing.inspect(
        folder,
        contract,
        on_table=lambda table: reporter.advance(tables.index(table), len(tables), table),
    )
    unfit = check_target(refresh.project.root, refresh.target)
    if faults := (*findings.faults, *unfit, *inspection.faults):
        raise InputError(faults)
    for notice in _notices(inspection):
        reporter.note(f"note: {notice}")
    with private_files(), disk_full_told(refresh.place.root):
        # a rollback at this moment has files that look like what a killed one left
        with refresh.place.release_lock():
            release.recover(refresh.place, builds=True)
        is_damaged = _is_build_damaged(refresh.place)
        if is_damaged:
            reporter.note(f"note: {refresh.place.build_file} was damaged and is made anew")
        if is_damaged or refresh.full_refresh:
            refresh.place.drop_build()
        if spark := refresh.spark:
            refresh.reporter.stage("starting Spark")
            spark.start()
        adds = _plan(refresh, contract, manifest, findings.parameters, inspection)
        if erasure.is_asked(refresh.place, Settings()):
            if spark:
                spark.drop_tables(manifest)
            else:
                # of a build that Spark made here
                shutil.rmtree(refresh.place.spark_dir, ignore_errors=True)
            # what DuckDB adds to is copied into a new file once it is released
            if spark or not adds:
                refresh.place.drop_build()
                adds = _plan(refresh, contract, manifest, findings.parameters, inspection)
    if adds:
        reporter.note("building what has come since the last build, and what it touches")
    return inspection


def _is_build_damaged(place: Warehouse) -> bool:
    if not place.build_file.exists():
        return False
    try:
        with unreadable_told(place.build_file, remedy=REBUILT):
            duckdb.connect(str(place.build_file)).close()
    except DamagedError:
        return True
    return False


def _plan(
    refresh: Refresh,
    contract: RawContract,
    manifest: Manifest,
    parameters: Parameters,
    inspection: landing.Inspection,
) -> bool:
    """Lays the raw tables and begins the books; returns whether the build adds to the last one."""
    folder, spark = inspection.folder, refresh.spark
    if spark:
        spark.lay_raw_tables(inspection)
    with duckdb.connect(str(refresh.place.build_file)) as connection:
        landing.lay_views(connection, inspection)
        as_of = parameters.value(AS_OF)
        if faults := check_horizon(connection, manifest, as_of):
            raise InputError(faults)
        bookkeeping.note_landing(
            connection,
            bookkeeping.Landing(
                raw_fingerprint=folder.fingerprint(),
                raw_files=len(folder.files),
                raw_rows=sum(each.rows for each in inspection.tables),
                parameters=parameters.values(),
                landed_at=datetime.now(UTC),
            ),
        )
        return increments.plan(
            connection,
            folder,
            contract,
            manifest,
            increments.ground_of(
                folder,
                contract,
                parameters,
                project=refresh.project.fingerprint(
                    spark.version() if spark else f"DuckDB {duckdb.__version__}"
                ),
            ),
            as_of=as_of,
            full_refresh=refresh.full_refresh,
            spark=spark,
        )


@dataclass(frozen=True)
class BuildPart:
    """One invocation of dbt: which nodes it builds, as dbt selects them, and after which steps.

    `name` is that of its step in the job, `notes` what is noted of it once it has gone well. With
    `grows` it has the tables that an increment adds to.
    """

    name: str
    stage: str
    notes: str
    needs: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    grows: bool = False


def build_parts(manifest: Manifest) -> tuple[BuildPart, ...]:
    """The parts in their order: one, or with fits in between two."""
    stage = "building and testing the models"
    fits = sorted({table.fit for table in manifest.fitted_tables()})
    if not fits:
        return (BuildPart("dbt_build", stage, notes=bookkeeping.BUILT, grows=True),)
    first = BuildPart("dbt_build", stage, notes="models", exclude=(ON_FITS,), grows=True)
    last = BuildPart(
        "dbt_build_on_fits",
        "building and testing what stands on the fits",
        notes=bookkeeping.BUILT,
        needs=("models", *fits),
        select=(ON_FITS,),
    )
    return first, last


def build_dbt_assets(
    manifest: Manifest,
    part: BuildPart,
    parsed: Any = None,  # noqa: ANN401
    *,
    is_recorded: bool = True,
) -> dg.AssetsDefinition:
    """A part's dbt models and seeds as assets, and what their data tests hold as their checks.

    `parsed` is dbt's own object of the manifest, where this process has it: it saves parsing twice.
    Not `is_recorded`, it has no checks, and tells of those assets alone that other steps wait for.
    """

    @dbt_assets(
        manifest=told_apart(manifest),
        select=" ".join(part.select) or "fqn:*",
        exclude=" ".join(part.exclude) or None,
        dagster_dbt_translator=Translator(
            DagsterDbtTranslatorSettings(enable_asset_checks=is_recorded)
        ),
        name=part.name,
        pool=POOL,
    )
    def build(
        context: dg.AssetExecutionContext, refresh: Refresh
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with told_to_dagster(), private_files(), disk_full_told(refresh.place.root):
            told = keys_by_node(context.assets_def)
            if not is_recorded:
                told = {node: key for node, key in told.items() if _is_waited_for(context, key)}
            yield from _build(context, refresh, manifest, part, parsed, told)

    return build


def _is_waited_for(context: dg.AssetExecutionContext, key: dg.AssetKey) -> bool:
    children = context.job_def.asset_layer.asset_graph.get(key).child_keys
    return not children <= context.assets_def.keys


def _build(
    context: dg.AssetExecutionContext,
    refresh: Refresh,
    manifest: Manifest,
    part: BuildPart,
    parsed: Any,  # noqa: ANN401
    told: Mapping[str, dg.AssetKey],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    refresh.reporter.stage(part.stage)
    if not context.is_subset:
        audit.preload()
    # a later part adds to what the first has made
    adds = not part.grows
    with duckdb.connect(str(refresh.place.build_file)) as connection:
        # until all of it is done again, what stands is no whole build
        bookkeeping.forget_steps(connection, {part.notes, *bookkeeping.RELEASABLE})
        if part.grows or context.is_subset:
            adds = increments.begin(connection, is_whole=not context.is_subset)
    dbt_build = refresh.project.start(
        refresh.place,
        refresh.parameters(),
        parsed=parsed,
        select=_selection(context, manifest) if context.is_subset else part.select,
        exclude=() if context.is_subset else part.exclude,
        is_exact=context.is_subset,
        adds=adds,
    )
    for event in dbt_build:
        if isinstance(event, NodeStarted):
            name = event.unique_id.split(".")[2]
            refresh.reporter.advance(event.index - 1, event.total, name)
        elif event.unique_id in told and event.is_success:
            yield dg.MaterializeResult(
                asset_key=told[event.unique_id], metadata={"seconds": event.seconds}
            )
    checks, error = _close_build(refresh, manifest, dbt_build, None if context.is_subset else part)
    check_keys = {key.name: key for key in context.selected_asset_check_keys}
    for result, page in checks:
        if result.check_name in check_keys:
            yield _check_outcome(check_keys[result.check_name], result, page)
    if error:
        raise error


def keys_by_node(built: dg.AssetsDefinition) -> dict[str, dg.AssetKey]:
    """The assets of a part of the build, by dbt's unique id."""
    return {spec.metadata[UNIQUE_ID]: spec.key for spec in built.specs}


def _check_outcome(key: dg.AssetCheckKey, result: CheckResult, page: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.status == "passed",
        severity=dg.AssetCheckSeverity.WARN
        if result.status == "warned"
        else dg.AssetCheckSeverity.ERROR,
        metadata={
            "failing rows": result.failures,
            "message": result.message,
            "runbook": runbook_page(page),
        },
    )


def _selection(context: dg.AssetExecutionContext, manifest: Manifest) -> tuple[str, ...]:
    specs = context.assets_def.specs_by_key
    chosen = [specs[key].metadata[UNIQUE_ID] for key in context.selected_asset_keys]
    checks = context.selected_asset_check_keys
    chosen.extend(
        spec.metadata[UNIQUE_ID] for spec in context.assets_def.check_specs if spec.key in checks
    )
    tests_and_models = dict.fromkeys(parent_test(unique_id) for unique_id in chosen)
    return tuple(".".join(manifest.node(unique_id)["fqn"]) for unique_id in tests_and_models)


def _close_build(
    refresh: Refresh, manifest: Manifest, dbt_build: DbtBuild, whole_part: BuildPart | None
) -> tuple[list[tuple[CheckResult, str]], TenureError | None]:
    """Notes how a part went; returns its checks, with their pages, and what it failed of."""
    if error := dbt_build.error():
        if is_disk_full(error):
            raise BuildError(disk_full_message(refresh.place.root)) from error
        raise BuildError(f"dbt could not run: {error}") from error
    folder = open_raw_folder(refresh.raw_folder, refresh.project.contract())
    spark = refresh.spark
    with duckdb.connect(str(refresh.place.build_file)) as connection:
        if spark:
            spark.lay_views(connection, _read_outside_spark(manifest, dbt_build))

        def ask(query: str) -> Sequence[Any]:
            return spark.rows(query) if spark else connection.execute(query).fetchall()

        def messages_of(unique_id: str) -> Sequence[str]:
            return dbt_build.failing_messages(ask, unique_id)

        error = verdicts.build_error(
            manifest,
            dbt_build.finished,
            raw_folder=refresh.raw_folder,
            raw_files=[file.path for file in folder.files],
            warehouse=refresh.place.root,
            messages_of=messages_of,
        )
        for suspicion in verdicts.suspicions(manifest, dbt_build.finished, messages_of):
            # now, since it may be why another step fails
            refresh.reporter.note(f"warning: {suspicion}")
        checks = [
            (result, page_of_rule(rule))
            for node in dbt_build.finished
            if verdicts.is_data_test(manifest, node.unique_id) and node.status != "skipped"
            for rule, result in verdicts.check_results(
                manifest,
                node,
                {} if node.is_success else dbt_build.broken(ask, node.unique_id),
            )
        ]
        bookkeeping.note_checks(
            connection,
            [result for result, _ in checks],
            as_of=bookkeeping.knowledge_horizon(connection),
            checked_at=datetime.now(UTC),
        )
        if (
            error is None
            and whole_part
            and bookkeeping.completed_steps(connection).issuperset(whole_part.needs)
        ):
            if whole_part.grows:
                increments.drop_strangers(connection, manifest)
                increments.keep_basis(connection, manifest.kept_tables(), spark)
            bookkeeping.note_step(connection, whole_part.notes)
    return checks, error


def _read_outside_spark(manifest: Manifest, dbt_build: DbtBuild) -> list[tuple[str, str]]:
    """Those of the tables that others read than Spark which this part of the build has made."""
    made = {
        manifest.relation(node.unique_id)
        for node in dbt_build.finished
        if node.is_success and node.unique_id in manifest.content["nodes"]
    }
    return [relation for relation in read_outside_spark(manifest) if relation in made]


def build_audit_asset(
    landed: dg.AssetsDefinition,
    built: Sequence[dg.AssetsDefinition],
    *,
    is_recorded: bool = True,
) -> dg.AssetsDefinition:
    """The audit: expectations on feeds and marts, each a check of the table that is at fault.

    Not `is_recorded`, it has no checks, and waits for one table of each part of the build, which
    ends as a whole: each that it waits for is told to Dagster, and looked up there again.
    """
    built_keys = [key for part in built for key in part.keys]
    judged = [
        [key for key in sorted(part.keys) if key.path[0] in RELEASED_SCHEMAS] for part in built
    ]
    tables = {tuple(key.path): key for key in (*landed.keys, *built_keys)}
    # what is at fault of several tables at once is a check of the audit itself
    planned = {
        check.name: dg.AssetCheckSpec(
            check.name, asset=tables.get(check.asset, AUDIT_KEY), description=check.why
        )
        for check in (audit.planned_checks() if is_recorded else ())
    }

    @dg.multi_asset(
        name="audit",
        specs=[
            dg.AssetSpec(
                AUDIT_KEY,
                deps=[key for keys in judged for key in (keys if is_recorded else keys[:1])],
                group_name="release",
                owners=["team:data"],
                description="Whether what was built is plausible enough for its readers.",
                kinds={"greatexpectations"},
            )
        ],
        check_specs=list(planned.values()),
        pool=POOL,
        # the tables that are judged are made elsewhere
        allow_arbitrary_check_specs=True,
    )
    def judge(refresh: Refresh) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        refresh.reporter.stage("auditing what was built")
        with told_to_dagster():
            outcomes = audit.judge(refresh.place)
        for outcome in outcomes if is_recorded else ():
            check = planned[audit.name_of(outcome.suite, outcome.expectation)]
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=outcome.success,
                severity=dg.AssetCheckSeverity.ERROR
                if outcome.severity == "critical"
                else dg.AssetCheckSeverity.WARN,
                metadata={
                    "observed": outcome.observed,
                    "owner": outcome.owner,
                    "what to do": outcome.what_to_do,
                    "runbook": runbook_page(
                        page_of_expectation(outcome.suite, outcome.expectation)
                    ),
                },
            )
        with told_to_dagster():
            audit.note(refresh.place, outcomes)
        yield dg.MaterializeResult(
            asset_key=AUDIT_KEY,
            metadata={
                "checks": len(outcomes),
                "page": dg.MetadataValue.path(refresh.place.checks_page),
                "runbook": runbook_page("runbook"),
            },
        )

    return judge


def build_release_asset(manifest: Manifest, *, is_recorded: bool = True) -> dg.AssetsDefinition:
    """The release: the audited marts, put before their readers in one step."""

    @dg.asset(
        key=RELEASE_KEY,
        deps=[AUDIT_KEY],
        group_name="release",
        owners=["team:data"],
        kinds={"duckdb", "parquet"},
        pool=POOL,
    )
    def publish(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult[None]:
        """The marts that readers get, replaced whole."""
        refresh.reporter.stage("releasing")
        with told_to_dagster():
            released = release.publish(
                refresh.place,
                manifest,
                project_version=refresh.project.version(),
                released_at=datetime.now(UTC),
                note=lambda text: refresh.reporter.advance(0, 1, text),
            )
        for table, rows in released.row_counts.items() if is_recorded else ():
            # on the mart's own page, since nobody could count while it was built
            context.log_event(
                dg.AssetObservation(
                    dg.AssetKey(table.split(".")),
                    metadata={"dagster/row_count": rows, "release": released.release_id},
                )
            )
        return dg.MaterializeResult(
            metadata={
                "release_id": released.release_id,
                "as_of": released.as_of.isoformat(sep=" "),
                "file": dg.MetadataValue.path(refresh.place.release_file),
                "rows": sum(released.row_counts.values()),
                "row_counts": dg.MetadataValue.json(json.loads(json.dumps(released.row_counts))),
            }
        )

    return publish


def build_dashboard_asset() -> dg.AssetsDefinition:
    """The dashboard: one page of the release, for a browser."""

    @dg.asset(
        key=DASHBOARD_KEY,
        deps=[RELEASE_KEY],
        group_name="release",
        owners=["team:data"],
        kinds={"html"},
        pool=POOL,
    )
    def draw(refresh: Refresh) -> dg.MaterializeResult[None]:
        """The page on which a person looks at the release that stands."""
        refresh.reporter.stage("drawing the dashboard")
        with told_to_dagster():
            size = dashboard_page.write(refresh.place, refresh.project.root)
        return dg.MaterializeResult(
            metadata={
                "page": dg.MetadataValue.path(refresh.place.dashboard_page),
                "address": dg.MetadataValue.url(refresh.place.dashboard_page.as_uri()),
                "bytes": size,
            }
        )

    return draw
