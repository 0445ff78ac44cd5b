from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from expectations.audit import frame_slot
from expectations.feeds import FEEDS
from tests.expectations.warehouse import empty_warehouse, small_warehouse


@pytest.fixture(scope="session")
def slot() -> Any:  # noqa: ANN401 its type would load Great Expectations before it is needed
    return frame_slot()


@pytest.fixture(scope="session")
def story() -> Iterator[duckdb.DuckDBPyConnection]:
    with small_warehouse([feed.table_name for feed in FEEDS]) as connection:
        yield connection


@pytest.fixture
def warehouse(story: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The story, for one test to change as it likes."""
    story.begin()
    yield story
    story.rollback()


@pytest.fixture
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_warehouse() as connection:
        yield connection
