"""The files: the same bytes every time, of the contract's schema, and nobody else's touched."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer import Typer
from typer.testing import CliRunner

from orchestration.commands.simulate import simulate_command
from simulator import SimulationError, simulate
from simulator.contract import raw_tables

from .conftest import Service

PROJECT = Path(__file__).resolve().parents[2]

SCRIPT = """
import sys
from pathlib import Path
from simulator import simulate
simulate(subscribers=400, months=8, seed=3, out=Path(sys.argv[1]), dirt=sys.argv[2] == "dirt")
"""


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kind", ["clean", "dirt"])
def test_same_seed_gives_same_bytes_in_another_process(tmp_path: Path, kind: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    simulate(subscribers=400, months=8, seed=3, out=here, dirt=kind == "dirt")
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(there), kind], cwd=PROJECT, env=environment, check=True
    )
    assert fingerprints(here) == fingerprints(there)


def test_another_seed_gives_another_service(tmp_path: Path) -> None:
    for seed in (1, 2):
        simulate(subscribers=50, months=3, seed=seed, out=tmp_path / str(seed))
    assert fingerprints(tmp_path / "1") != fingerprints(tmp_path / "2")


def test_more_plays_leave_every_bill_as_it_is(tmp_path: Path) -> None:
    for plays in (0, 30):
        simulate(
            subscribers=300, months=6, seed=1, out=tmp_path / str(plays), plays_per_month=plays
        )
    few, many = fingerprints(tmp_path / "0"), fingerprints(tmp_path / "30")
    different = {name.split("/")[0] for name in few if few[name] != many.get(name)}
    assert different == {"playback_sessions", "truth.json"}


@pytest.mark.parametrize("kind", ["clean", "dirty"])
def test_every_file_has_the_schema_of_the_sources(
    kind: str, request: pytest.FixtureRequest
) -> None:
    service: Service = request.getfixturevalue(kind)
    for name, table in raw_tables().items():
        files = sorted((service.folder / name).glob("*.parquet"))
        assert files, name
        for file in files:
            assert pq.read_schema(file).remove_metadata() == table.schema, file.name


def test_dirt_spreads_a_table_over_files_out_of_order(dirty: Service) -> None:
    names = [file.name for file in sorted((dirty.folder / "payments").glob("*"))]
    assert names == ["again-12345.parquet", "part-12345.parquet"]
    first = pq.read_table(
        dirty.folder / "payments" / "part-12345.parquet", columns=["attempted_at"]
    )
    instants = first["attempted_at"].to_pylist()
    assert instants != sorted(instants)


def test_a_service_without_subscribers_has_empty_tables(tmp_path: Path) -> None:
    truth = simulate(subscribers=0, months=36, seed=1, out=tmp_path / "raw", dirt=True)
    for name, table in raw_tables().items():
        whole = pq.read_table(tmp_path / "raw" / name)
        assert whole.num_rows == 0
        assert whole.schema.remove_metadata() == table.schema
    assert {sum(row.values()) for row in truth.row_reconciliation.values()} == {0}


def test_a_service_of_one_month(tmp_path: Path) -> None:
    truth = simulate(subscribers=200, months=1, seed=1, out=tmp_path / "raw")
    assert truth.as_of == "2026-01-01T00:00:00Z"
    assert truth.parameters["start"] == "2025-12-01T00:00:00Z"
    assert truth.row_reconciliation["payments"]["accepted_rows"] > 0


def test_a_former_simulation_is_replaced(tmp_path: Path) -> None:
    simulate(subscribers=100, months=2, seed=1, out=tmp_path / "raw", dirt=True)
    simulate(subscribers=100, months=2, seed=1, out=tmp_path / "raw")
    simulate(subscribers=100, months=2, seed=1, out=tmp_path / "other")
    assert fingerprints(tmp_path / "raw") == fingerprints(tmp_path / "other")


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "invoices").mkdir()
    (tmp_path / "invoices" / "ours.parquet").write_bytes(b"precious")
    with pytest.raises(SimulationError, match="invoices holds files that no simulation wrote"):
        simulate(subscribers=10, months=1, seed=1, out=tmp_path)
    assert (tmp_path / "invoices" / "ours.parquet").read_bytes() == b"precious"


@pytest.mark.parametrize(
    "wrong",
    [
        {"subscribers": -1},
        {"subscribers": 10**14},
        {"months": 0},
        {"seed": -1},
        {"plays_per_month": 1001.0},
        {"end": datetime(2026, 1, 2, tzinfo=UTC)},
    ],
)
def test_arguments_that_make_no_service_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    arguments = {"subscribers": 10, "months": 1, "seed": 1, **wrong}
    with pytest.raises(SimulationError):
        simulate(out=tmp_path / "raw", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "raw").exists()


def test_command_writes_the_service_and_says_so(tmp_path: Path) -> None:
    app = Typer()
    app.command("simulate")(simulate_command)
    arguments = ["--subscribers", "40", "--months", "3", "--seed", "2", "--end", "2025-07-01"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "raw")])
    assert done.exit_code == 0, done.output
    assert "known up to 2025-07-01T00:00:00Z" in done.output
    wrong = CliRunner().invoke(app, ["--months", "0", "--out", str(tmp_path / "raw")])
    assert wrong.exit_code == 2
    # a path is no markup
    (tmp_path / "x[").mkdir()
    file = tmp_path / "x[" / "b]"
    file.touch()
    taken = CliRunner().invoke(app, ["--out", str(file)])
    assert (taken.exit_code, f"{file} is not a folder" in taken.output) == (2, True)
