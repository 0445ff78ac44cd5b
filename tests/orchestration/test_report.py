"""What a run tells at its end can be pasted into a shell, wherever the warehouse lies."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.report import look_command
from orchestration.database.warehouse import Warehouse


@pytest.fixture
def place(tmp_path: Path) -> Warehouse:
    """A warehouse in a folder whose name says something to a shell, to Python or to dbt."""
    root = tmp_path / """it's "here" $HOME `x` \\n {{ y }} [1]*ü"""
    root.mkdir()
    return Warehouse(root)


def test_the_command_to_look_shows_a_table(place: Warehouse) -> None:
    with duckdb.connect(str(place.release_file)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.totals as select 4711 as total")

    shown = subprocess.run(
        ["/bin/sh", "-c", look_command(place, "marts.totals")],
        env={"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "PYTHONUTF8": "1"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert "4711" in shown.stdout


def test_the_option_is_read_by_a_shell_as_the_folder(place: Warehouse) -> None:
    assert shlex.split(place.option) == ["--warehouse", str(place.root)]
