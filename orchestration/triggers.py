"""What starts the job `refresh` by itself: a time of day, and new raw files."""

import json
from pathlib import Path

import dagster as dg

from orchestration.raw.contract import RawContract
from orchestration.raw.folder import open_raw_folder

JOB = "refresh"

# after midnight in every time zone of the Americas, before anybody in Europe looks
DAILY_AT = "0 5 * * *"

SENSOR_INTERVAL_SECONDS = 60


def build_daily_schedule() -> dg.ScheduleDefinition:
    """The daily run, switched on in Dagster's pages."""
    return dg.ScheduleDefinition(
        name="refresh_daily",
        job_name=JOB,
        cron_schedule=DAILY_AT,
        execution_timezone="UTC",
        description="Once a day, whether or not files came.",
    )


def build_raw_files_sensor(*, raw: Path, contract: RawContract) -> dg.SensorDefinition:
    """Asks for a run once new raw files have stopped changing, switched on in Dagster's pages."""

    @dg.sensor(
        name="new_raw_files",
        job_name=JOB,
        minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
        description=f"New or changed files in {raw}, once they are the same at two looks.",
    )
    def new_raw_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        folder = open_raw_folder(raw, contract)
        if not folder.files:
            return dg.SkipReason(f"no raw files in {raw}")
        listing = folder.listing()
        cursor = json.loads(context.cursor or "{}")
        now = json.dumps({**cursor, "seen": listing})
        if listing == cursor.get("asked_for"):
            return dg.SkipReason("no new raw files")
        if listing != cursor.get("seen"):
            # a file that is still being written would fail the landing gate
            context.update_cursor(now)
            return dg.SkipReason("raw files are changing; waiting until they rest")
        # files that are as they were once, since one was taken away, are asked for again
        times = cursor.get("times", 0) + 1
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=f"{times}:{listing}")],
            cursor=json.dumps({"seen": listing, "asked_for": listing, "times": times}),
        )

    return new_raw_files
