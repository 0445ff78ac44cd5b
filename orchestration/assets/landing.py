"""The raw tables as assets: judged whole, then laid for the build, which is planned here."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import duckdb

from orchestration.assets.refresh import POOL, Refresh, told_to_dagster
from orchestration.database import bookkeeping
from orchestration.database.warehouse import (
    REBUILT,
    Warehouse,
    disk_full_told,
    private_files,
    unreadable_told,
)
from orchestration.errors import DamagedError, InputError
from orchestration.raw import landing
from orchestration.raw.contract import SOURCE_NAME, RawContract
from orchestration.raw.folder import open_raw_folder
from orchestration.releases import erasure, release
from orchestration.settings import Settings
from orchestration.transform import increments
from orchestration.transform.horizon import check_horizon
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import AS_OF, Parameters, check_parameters
from orchestration.transform.spark import check_target


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
