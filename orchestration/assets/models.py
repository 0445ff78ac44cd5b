"""The dbt models as assets, built in one part, or in two with the fits in between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from orchestration.assets.refresh import POOL, Refresh, runbook_page, told_to_dagster
from orchestration.database import bookkeeping
from orchestration.database.bookkeeping import CheckResult
from orchestration.database.warehouse import (
    disk_full_message,
    disk_full_told,
    is_disk_full,
    private_files,
)
from orchestration.errors import BuildError, TenureError
from orchestration.pages.runbook import page_of_rule
from orchestration.raw.folder import open_raw_folder
from orchestration.releases import audit
from orchestration.transform import increments, verdicts
from orchestration.transform.data_tests import parent_test, told_apart
from orchestration.transform.manifest import FITTED_SOURCE, Manifest
from orchestration.transform.project import DbtBuild, NodeStarted
from orchestration.transform.spark import read_outside_spark

UNIQUE_ID = "dagster_dbt/unique_id"
# what stands on tables that Python fits can only be built once these are fitted
ON_FITS = f"source:{FITTED_SOURCE}+"


class Translator(DagsterDbtTranslator):
    """Groups models by the schema in which a reader finds them."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema."""
        return str(dbt_resource_props["schema"])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """The team that a model names in its meta as `owner`."""
        owner = dbt_resource_props.get("config", {}).get("meta", {}).get("owner")
        return [f"team:{owner}"] if owner else None


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
