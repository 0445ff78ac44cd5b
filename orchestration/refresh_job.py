"""`tenure run`: the job `refresh` in this process, from a request to a release."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration import alerts
from orchestration.database.warehouse import Warehouse, disk_full_told, private_files
from orchestration.errors import BuildError, InputError, StoppedError, as_told, foreseen
from orchestration.progress import Reporter
from orchestration.raw import landing
from orchestration.raw.folder import open_raw_folder
from orchestration.releases.kept import released_since
from orchestration.settings import RunRequest
from orchestration.transform import spark
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject

if TYPE_CHECKING:
    import dagster as dg

# what a run notes of itself is in the release; Dagster's own record is for runs from its pages
INSTANCE_SETTINGS = {"telemetry": {"enabled": False}}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Finished:
    """What a run did that ended with a release."""

    warehouse: Warehouse
    nodes_built: int


def check_before_loading(request: RunRequest) -> None:
    """Raises InputError with all faults, if a look at names alone finds one.

    It takes a moment, where loading dbt and Dagster takes seconds.
    """
    settings = request.settings
    contract = DbtProject(settings.project_dir).contract()
    findings = check_parameters(
        settings.project_dir, as_of=request.as_of, variables=request.variables
    )
    unfit = spark.check_target(settings.project_dir, settings.target)
    folder = open_raw_folder(settings.raw.absolute(), contract)
    if findings.faults or unfit or folder.faults:
        inspection = landing.inspect(folder, contract)
        raise InputError((*findings.faults, *unfit, *inspection.faults))


def run(request: RunRequest, reporter: Reporter) -> Finished:
    """Runs the job and returns what it did.

    Raises the TenureError that it ended with; other errors are defects and keep their stack trace.
    """
    began = datetime.now(UTC)
    place = Warehouse(request.settings.warehouse.absolute())
    try:
        finished = _run(request, reporter)
    except (KeyboardInterrupt, StoppedError) as stop:
        released = released_since(place, began)
        raise StoppedError(released.release_id if released else None) from stop
    except Exception as error:
        told = foreseen(error)
        alerts.run_ended(place, reporter.note, began=began, error=told)
        if told is error:
            raise
        raise told from error
    alerts.run_ended(place, reporter.note, began=began, error=None)
    return finished


def _run(request: RunRequest, reporter: Reporter) -> Finished:
    check_before_loading(request)
    reporter.stage("starting")
    settings = request.settings
    warehouse = Warehouse(settings.warehouse.absolute())
    parameters = check_parameters(
        settings.project_dir, as_of=request.as_of, variables=request.variables
    ).parameters
    with private_files(), disk_full_told(warehouse.root):
        with _kept_to_the_end():
            import dagster as dg

            from orchestration.definitions import compose
            from orchestration.triggers import JOB

            warehouse.prepare()
            parsed = DbtProject(settings.project_dir, settings.target).parse(warehouse, parameters)
            # what was built and checked is in the build's books; told to an instance that is
            # forgotten, it costs a tenth of a small service's run
            definitions = compose(
                request,
                parsed.manifest,
                reporter=reporter,
                parsed=parsed.parsed,
                is_recorded=False,
            )
            job = definitions.resolve_job_def(JOB)
        with dg.DagsterInstance.ephemeral(settings=INSTANCE_SETTINGS) as instance:
            result = job.execute_in_process(
                instance=instance, run_config=QUIET, raise_on_error=False
            )
    if not result.success:
        raise _end_of(result.all_events)
    return Finished(warehouse, nodes_built=parsed.manifest.built_nodes())


@contextmanager
def _kept_to_the_end() -> Iterator[None]:
    """Takes what is made meanwhile out of the search for garbage, for good.

    Code, the parsed project and the assets are hundreds of thousands of objects that are held until
    the process ends; to look through them again and again costs a tenth of a run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _end_of(events: "Iterable[dg.DagsterEvent]") -> Exception:
    """What the first failing step failed of: the error that it was told as, or a defect."""
    import dagster as dg

    from orchestration.assets.refresh import EXIT_STATUS

    for event in events:
        if not event.is_step_failure:
            continue
        failure = event.step_failure_data
        told = failure.user_failure_data
        if told and EXIT_STATUS in told.metadata:
            return as_told(int(str(told.metadata[EXIT_STATUS].value)), told.description or "")
        if failure.error and failure.error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
            return StoppedError()
        if failure.error:
            return RuntimeError(failure.error.to_string())
    return BuildError("the run ended without saying why: see dbt.log in the warehouse's folder dbt")
