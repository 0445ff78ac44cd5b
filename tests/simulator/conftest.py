from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from simulator import Truth, simulate
from simulator.contract import raw_tables


@dataclass(frozen=True)
class Service:
    """A simulated service: its folder, its truth, and its raw tables in a database."""

    folder: Path
    truth: Truth
    database: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.database.execute(query).fetchall()

    def number(self, query: str) -> float:
        row = self.database.execute(query).fetchone()
        assert row is not None
        return float(row[0])


def open_service(folder: Path, truth: Truth) -> Service:
    database = duckdb.connect()
    for name in raw_tables():
        database.execute(
            f"create table {name} as select * from read_parquet('{folder}/{name}/*.parquet')"
        )
    return Service(folder=folder, truth=truth, database=database)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("clean") / "raw"
    return open_service(folder, simulate(subscribers=3000, months=30, seed=11, out=folder))


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("dirty") / "raw"
    truth = simulate(subscribers=2000, months=36, seed=11, out=folder, dirt=True)
    return open_service(folder, truth)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Bills of many, nobody of whom watches."""
    folder = tmp_path_factory.mktemp("large") / "raw"
    truth = simulate(subscribers=40_000, months=36, seed=5, out=folder, plays_per_month=0)
    return open_service(folder, truth)
