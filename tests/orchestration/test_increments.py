"""When a run adds to the last build, and that it ends where a full one does."""

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration import increments
from orchestration.increments import Ground, can_add
from orchestration.sql_text import quoted_text
from orchestration.warehouse import Warehouse
from simulator.service import simulate
from tests.conftest import RunPipeline

HORIZON = datetime.fromisoformat("2026-01-01T00:00:00")

BASIS = Ground(
    project="sql",
    parameters={"reporting_timezone": "UTC"},
    as_of=None,
    files={"/raw/playback_sessions/1.parquet": (10, 1)},
)

LAST_DAYS = "timestamp '2025-12-20'"


def with_file(name: str, size: int, changed: int) -> Ground:
    return replace(BASIS, files={**BASIS.files, f"/raw/playback_sessions/{name}": (size, changed)})


@pytest.mark.parametrize(
    ("ground", "adds"),
    [
        (BASIS, True),
        (with_file("2.parquet", 5, 2), True),
        (with_file("1.parquet", 11, 1), False),
        (with_file("1.parquet", 10, 2), False),
        (replace(BASIS, files={}), False),
        (replace(BASIS, project="other sql"), False),
        (replace(BASIS, parameters={"reporting_timezone": "Asia/Tokyo"}), False),
        (replace(BASIS, as_of="2026-01-01T00:00:00Z"), True),
        (replace(BASIS, as_of="2026-01-01T01:00:00+01:00"), True),
        (replace(BASIS, as_of="2025-12-31T23:59:59Z"), False),
    ],
)
def test_a_build_is_added_to_where_only_files_and_time_have_come(
    ground: Ground, *, adds: bool
) -> None:
    assert can_add(BASIS, HORIZON, ground) is adds


def test_after_a_horizon_that_was_asked_for_the_default_may_lie_before_it() -> None:
    asked = replace(BASIS, as_of="2026-01-01T00:00:00Z")
    assert not can_add(asked, HORIZON, BASIS)


def test_a_ground_is_read_as_it_was_written() -> None:
    assert Ground.from_json(BASIS.as_json()) == BASIS


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small service as it was delivered up to the last days, and what came on these."""
    root = tmp_path_factory.mktemp("deliveries")
    simulate(subscribers=120, months=4, seed=11, plays_per_month=4.0, out=root / "whole")
    shutil.rmtree(root / "whole" / "erasure_requests")
    with duckdb.connect() as connection:
        for folder in sorted(path for path in (root / "whole").iterdir() if path.is_dir()):
            for part, arrived in (("first", "<"), ("later", ">=")):
                target = root / part / folder.name
                target.mkdir(parents=True)
                connection.execute(
                    f"copy (from read_parquet({quoted_text(f'{folder}/*.parquet')})"
                    f" where recorded_at {arrived} {LAST_DAYS})"
                    f" to {quoted_text(str(target / f'{part}.parquet'))} (format parquet)"
                )
    return root / "first", root / "later"


def planned_to_add(place: Warehouse) -> bool:
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        ((adds,),) = connection.execute(f"select adds from {increments.PLANS}").fetchall()
    return bool(adds)


def released(place: Warehouse) -> dict[str, tuple[int, int]]:
    """Each released table's rows and a hash of them that knows no order; books left out."""
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name = 'marts' or table_name in"
            " ('feed_profile', 'row_reconciliation', 'quarantined_rows')"
        ).fetchall()
        return {
            name: connection.execute(
                f"select count(*), coalesce(sum(hash(row_of)), 0) from {name} as row_of"
            ).fetchall()[0]
            for (name,) in names
        }


def test_what_comes_later_is_added_and_a_full_refresh_changes_nothing(
    deliveries: tuple[Path, Path], run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    first, later = deliveries
    raw = tmp_path / "raw"
    shutil.copytree(first, raw)
    place = run_pipeline(raw)
    assert not planned_to_add(place)
    before = released(place)
    shutil.copytree(later, raw, dirs_exist_ok=True)
    run_pipeline(raw, warehouse=place)
    assert planned_to_add(place)
    added = released(place)
    assert added["marts.viewing_daily"][0] > before["marts.viewing_daily"][0]
    run_pipeline(raw, warehouse=place, full_refresh=True)
    assert not planned_to_add(place)
    assert released(place) == added
