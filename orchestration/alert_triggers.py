"""Alerts of runs from Dagster's pages: at the end of the job, and when no release comes."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg

from orchestration import alerts
from orchestration.assets.refresh import EXIT_STATUS
from orchestration.assets.release import RELEASE_KEY
from orchestration.database.warehouse import Warehouse
from orchestration.errors import InputError, as_told
from orchestration.settings import is_any_set

WATCH_INTERVAL_SECONDS = 900

Note = Callable[[str], None]


def build_alert_hooks(place: Warehouse, note: Note) -> set[dg.HookDefinition]:
    """What tells of a failed step, and of a release, which ends what was broken."""

    @dg.failure_hook(name="tell_of_failure")
    def tell_of_failure(context: dg.HookContext) -> None:
        error = error_of(context.op_exception)
        alerts.run_ended(place, note, began=_began(context), error=error)

    @dg.success_hook(name="tell_of_release")
    def tell_of_release(context: dg.HookContext) -> None:
        if context.op.name == RELEASE_KEY.to_python_identifier():
            alerts.run_ended(place, note, began=_began(context), error=None)

    return {tell_of_failure, tell_of_release}


def error_of(failure: BaseException | None) -> Exception:
    """The error that a step's failure stands for."""
    if isinstance(failure, dg.Failure) and EXIT_STATUS in failure.metadata:
        return as_told(int(str(failure.metadata[EXIT_STATUS].value)), failure.description or "")
    return failure if isinstance(failure, Exception) else RuntimeError(type(failure).__name__)


def _began(context: dg.HookContext) -> datetime:
    record = context.instance.get_run_record_by_id(context.run_id)
    started = record.start_time if record else None
    return datetime.fromtimestamp(started or 0, UTC)


def build_late_sensor(place: Warehouse) -> dg.SensorDefinition:
    """Tells when the last release is too old, switched on in Dagster's pages."""

    @dg.sensor(
        name="release_is_late",
        minimum_interval_seconds=WATCH_INTERVAL_SECONDS,
        description="Alerts when the last release is older than TENURE_ALERT_LATE_AFTER_HOURS.",
    )
    def release_is_late() -> dg.SkipReason:
        if not is_any_set(alerts.PREFIX):
            return dg.SkipReason("no place is set that alerts could go to")
        try:
            told = alerts.watch(place, now=datetime.now(UTC))
        except InputError as wrong:
            return dg.SkipReason(str(wrong))
        return dg.SkipReason("\n".join(told))

    return release_is_late
