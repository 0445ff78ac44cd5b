"""What was parsed of a project once is not parsed again for each warehouse and horizon."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.transform.kept_parse import KEPT, KeptParse
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject, ParsedProject


def parse(
    root: Path, place: Path, *, as_of: str | None = None, variables: str | None = None
) -> tuple[ParsedProject, int]:
    """The parsed project, and of how many files dbt read it anew."""
    warehouse = Warehouse(place)
    warehouse.prepare()
    parameters = check_parameters(root, as_of=as_of, variables=variables).parameters
    parsed = DbtProject(root).parse(warehouse, parameters)
    told = json.loads((warehouse.dbt_dir / "perf_info.json").read_text(encoding="utf-8"))
    return parsed, told["parsed_path_count"]


def test_a_new_warehouse_and_a_new_horizon_take_the_last_parse(
    small_project: Path, tmp_path: Path
) -> None:
    first, read = parse(small_project, tmp_path / "first")
    second, read_again = parse(
        small_project, tmp_path / "second", as_of="2026-01-01T00:00:00Z", variables="{}"
    )
    assert read > 0
    assert read_again == 0
    assert second.manifest.content["nodes"] == first.manifest.content["nodes"]


def test_a_changed_file_is_parsed_in_a_new_warehouse_too(
    small_project: Path, tmp_path: Path
) -> None:
    parse(small_project, tmp_path / "first")
    (small_project / "models" / "staging" / "stg_ages.sql").write_text(
        "select age from {{ ref('stg_people') }}", encoding="utf-8"
    )
    parsed, read = parse(small_project, tmp_path / "second")
    assert read > 0
    assert "model.tenure.stg_ages" in parsed.manifest.content["nodes"]


def test_what_hangs_on_another_var_is_not_that_of_the_last_parse(
    small_project: Path, tmp_path: Path
) -> None:
    (small_project / "models" / "staging" / "stg_zone.sql").write_text(
        "{{ config(alias=var('reporting_timezone')) }} select 1 as one", encoding="utf-8"
    )
    parse(small_project, tmp_path / "first")
    parsed, _ = parse(
        small_project, tmp_path / "second", variables='{"reporting_timezone": "Asia/Tokyo"}'
    )
    assert parsed.manifest.relation("model.tenure.stg_zone")[1] == "Asia/Tokyo"


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    made = tmp_path / "made.msgpack"
    for number in range(KEPT + 2):
        made.write_text(str(number), encoding="utf-8")
        kept = KeptParse(tmp_path, str(number))
        kept.take(made)
        os.utime(kept.file, (number, number))
        kept.lend(tmp_path / f"lent-{number}")
    lent = [(tmp_path / f"lent-{number}").read_text() for number in range(KEPT + 2)]
    assert lent == [str(number) for number in range(KEPT + 2)]
    left = {path.read_text(encoding="utf-8") for path in KeptParse(tmp_path, "0").folder.iterdir()}
    assert left == {str(number) for number in range(2, KEPT + 2)}


@pytest.mark.parametrize("in_the_way", ["target", "target/parses"])
def test_where_nothing_can_be_kept_a_project_is_parsed_all_the_same(
    small_project: Path, tmp_path: Path, in_the_way: str
) -> None:
    (small_project / in_the_way).parent.mkdir(exist_ok=True)
    (small_project / in_the_way).write_text("", encoding="utf-8")
    assert parse(small_project, tmp_path / "first")[1] > 0
    assert parse(small_project, tmp_path / "second")[1] > 0
    # a warehouse has its own last parse
    assert parse(small_project, tmp_path / "first")[1] == 0


def test_a_parse_that_is_damaged_is_made_again(small_project: Path, tmp_path: Path) -> None:
    parse(small_project, tmp_path / "first")
    (kept,) = KeptParse(small_project, "").folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    parsed, read = parse(small_project, tmp_path / "second")
    assert read > 0
    assert "model.tenure.stg_people" in parsed.manifest.content["nodes"]
    assert parse(small_project, tmp_path / "third")[1] == 0
