"""When a run adds to the last build, and that it ends where a full one does."""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.database.sql_text import quoted_text
from orchestration.database.warehouse import Warehouse
from orchestration.releases.erasure import write_requests
from orchestration.transform import increments
from orchestration.transform.increments import Ground, can_add
from simulator.service import simulate
from tests.conftest import RunPipeline

BASIS = Ground(
    project="sql",
    parameters={"reporting_timezone": "UTC"},
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
    ],
)
def test_a_build_is_added_to_where_only_files_have_come(ground: Ground, *, adds: bool) -> None:
    assert can_add(BASIS, ground) is adds


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


def portions_of_last_build(
    place: Warehouse, model: str = "intermediate.int_viewing__build_portions"
) -> int:
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        ((portions,),) = connection.execute(f"select count(*) from {model}").fetchall()
    return int(portions)


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


@dataclass(frozen=True)
class Grown:
    """What was released of a service after its first days, its last ones, and a full refresh."""

    raw: Path
    place: Warehouse
    first: dict[str, tuple[int, int]]
    added: dict[str, tuple[int, int]]
    refreshed: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def grown(
    deliveries: tuple[Path, Path],
    run_pipeline: RunPipeline,
    tmp_path_factory: pytest.TempPathFactory,
) -> Grown:
    """What comes later is added to the first days; then everything is built anew."""
    raw = tmp_path_factory.mktemp("grown") / "raw"
    shutil.copytree(deliveries[0], raw)
    with pytest.MonkeyPatch.context() as patch:
        # in portions as a service of many plays, and at last at once
        patch.setenv("TENURE_PORTION_PLAYS", "100")
        place = run_pipeline(raw)
        assert portions_of_last_build(place) > 2
        assert not planned_to_add(place)
        first = released(place)
        shutil.copytree(deliveries[1], raw, dirs_exist_ok=True)
        run_pipeline(raw, warehouse=place)
        assert planned_to_add(place)
        added = released(place)
    run_pipeline(raw, warehouse=place, full_refresh=True)
    assert portions_of_last_build(place) == 1
    assert not planned_to_add(place)
    return Grown(raw, place, first, added, released(place))


def test_what_comes_later_is_added_and_a_full_refresh_changes_nothing(grown: Grown) -> None:
    assert grown.added["marts.viewing_daily"][0] > grown.first["marts.viewing_daily"][0]
    assert grown.refreshed == grown.added


def test_plays_that_are_all_sent_twice_are_built_in_portions_of_their_keys(
    grown: Grown,
    deliveries: tuple[Path, Path],
    run_pipeline: RunPipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = tmp_path / "raw"
    for part in deliveries:
        shutil.copytree(part, raw, dirs_exist_ok=True)
    for file in sorted((raw / "playback_sessions").iterdir()):
        shutil.copy(file, file.with_stem(f"{file.stem}-again"))
    monkeypatch.setenv("TENURE_PORTION_PLAYS", "500")
    place = run_pipeline(raw)
    assert portions_of_last_build(place, "staging.base_viewing__exception_portions") > 2

    again = released(place)
    differing = {name for name, rows in grown.refreshed.items() if again[name] != rows}
    assert differing == {"quality.feed_profile", "quality.row_reconciliation"}


def test_a_request_to_be_erased_is_added_as_well_and_leaves_no_id(
    grown: Grown, run_pipeline: RunPipeline
) -> None:
    viewers = "marts.viewing_daily group by subscriber_id order by count(*) desc, subscriber_id"
    with duckdb.connect(str(grown.place.release_file), read_only=True) as connection:
        ((asked,),) = connection.execute(f"select subscriber_id from {viewers} limit 1").fetchall()
    with duckdb.connect(str(grown.place.build_file)) as connection:
        # of a model that is gone, as nobody would make it anew
        connection.execute(f"create table marts.former as select '{asked}' as subscriber_id")
    assert asked.encode() in grown.place.build_file.read_bytes()
    write_requests(grown.raw, [asked], requested_at=datetime(2025, 12, 31, tzinfo=UTC))

    run_pipeline(grown.raw, warehouse=grown.place)

    assert planned_to_add(grown.place)
    assert asked.encode() not in grown.place.build_file.read_bytes()
    assert list(grown.place.receipts_dir.glob("*.json"))
    assert not grown.place.build_copy.exists()
    found = released(grown.place)
    # nobody contacts who is erased, and a request has come
    assert {name for name, (rows, _) in found.items() if rows != grown.refreshed[name][0]} <= {
        "marts.audiences",
        "quality.feed_profile",
    }
    for table in ("mrr_bridge_monthly", "title_performance", "experience_monthly"):
        assert found[f"marts.{table}"] == grown.refreshed[f"marts.{table}"]
