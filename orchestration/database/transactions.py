"""Statements that stand together or not at all, and wait for the disk once."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def one_transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commits at the end what is done within it, or nothing where that raises.

    Alone, each statement waits until the disk has what it changed.
    """
    connection.begin()
    try:
        yield
    except BaseException:
        # where the database is past that, the first error is what is to be told
        with suppress(duckdb.Error):
            connection.rollback()
        raise
    connection.commit()
