"""Dagster's definitions: the parts of the other modules, put together."""

from typing import Any

import dagster as dg

from orchestration.alert_triggers import build_alert_hooks, build_late_sensor
from orchestration.assets.audit import build_audit_asset
from orchestration.assets.fits import build_fit_assets
from orchestration.assets.landing import build_landing_asset
from orchestration.assets.models import build_dbt_assets, build_parts
from orchestration.assets.refresh import Refresh
from orchestration.assets.release import build_dashboard_asset, build_release_asset
from orchestration.database.warehouse import Warehouse
from orchestration.progress import LogReporter, Reporter
from orchestration.settings import RunRequest, Settings
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject
from orchestration.triggers import JOB, build_daily_schedule, build_raw_files_sensor


def compose(
    request: RunRequest,
    manifest: Manifest,
    *,
    reporter: Reporter,
    parsed: Any = None,  # noqa: ANN401
    tells_its_end: bool = False,
    is_recorded: bool = True,
) -> dg.Definitions:
    """Everything that Dagster knows of the project.

    With `tells_its_end` the job itself alerts when it fails or releases; else its caller does.
    Not `is_recorded`, Dagster is told what its steps need of each other and no more: no check, and
    few of the models. That is for those who forget its record.
    """
    place = Warehouse(request.settings.warehouse.absolute())
    settings = request.settings
    contract = DbtProject(settings.project_dir).contract()
    landed = build_landing_asset(contract, manifest)
    built = [
        build_dbt_assets(manifest, part, parsed, is_recorded=is_recorded)
        for part in build_parts(manifest)
    ]
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        hooks=build_alert_hooks(place, reporter.note) if tells_its_end else None,
        description="The whole way: landing gate, dbt build and its tests, fits, audit, release,"
        " dashboard.",
    )
    return dg.Definitions(
        assets=[
            landed,
            *built,
            *build_fit_assets(manifest, built[0]),
            build_audit_asset(landed, built, is_recorded=is_recorded),
            build_release_asset(manifest, is_recorded=is_recorded),
            build_dashboard_asset(),
        ],
        jobs=[job],
        schedules=[build_daily_schedule()],
        sensors=[
            build_raw_files_sensor(raw=settings.raw, contract=contract),
            build_late_sensor(place),
        ],
        resources={
            "refresh": Refresh(
                raw=str(settings.raw),
                warehouse=str(settings.warehouse),
                project_dir=str(settings.project_dir),
                target=settings.target,
                as_of=request.as_of,
                variables=request.variables,
                full_refresh=request.full_refresh,
                reporter=reporter,
            ),
        },
    )


@dg.definitions
def tenure() -> dg.Definitions:
    """The definitions for Dagster's own processes, with the settings of the environment."""
    settings = Settings()
    parameters = check_parameters(settings.project_dir).parameters
    warehouse = Warehouse(settings.warehouse.absolute())
    warehouse.prepare()
    manifest = DbtProject(settings.project_dir, settings.target).manifest(warehouse, parameters)
    reporter = LogReporter(dg.get_dagster_logger("tenure"))
    return compose(RunRequest(settings), manifest, reporter=reporter, tells_its_end=True)
