"""Raw folders, a small dbt project and a warehouse for the tests of the way."""

import shutil
from pathlib import Path

import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.raw.contract import RawContract, read_raw_contract
from orchestration.settings import PROJECT_DIR
from tests.orchestration.samples import (
    take_expectations_away,
    write_people,
    write_small_project,
    write_table,
)


@pytest.fixture(scope="session")
def contract() -> RawContract:
    return read_raw_contract(PROJECT_DIR / "models")


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    return write_small_project(tmp_path / "project")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A raw folder for the small project: two people, no visits."""
    raw = tmp_path / "raw"
    write_people(raw, ages=[1, 2])
    return raw


@pytest.fixture
def without_expectations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the real feeds' expectations away, which know nothing of the small project."""
    take_expectations_away(monkeypatch)


@pytest.fixture(scope="session")
def full_raw_template(contract: RawContract, tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = tmp_path_factory.mktemp("full") / "raw"
    for table in contract.tables:
        write_table(raw / table.name / "part.parquet", table.name, contract)
    return raw


@pytest.fixture
def full_raw(full_raw_template: Path, tmp_path: Path) -> Path:
    """A raw folder of the real contract: each table one Parquet file with one row."""
    return Path(shutil.copytree(full_raw_template, tmp_path / "raw"))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    place = Warehouse(tmp_path / "warehouse")
    place.prepare()
    return place
