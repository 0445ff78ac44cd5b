"""What the audit reads of the release that stands."""

from pathlib import Path

import duckdb

from orchestration.audit import accepted_before
from orchestration.warehouse import Warehouse


def test_the_rows_that_the_release_was_made_of_are_read(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    assert accepted_before(warehouse) == {}
    with duckdb.connect(str(warehouse.release_file)) as connection:
        connection.execute("create schema quality")
    # of a project that leaves the account out
    assert accepted_before(warehouse) == {}
    with duckdb.connect(str(warehouse.release_file)) as connection:
        connection.execute(
            "create table quality.row_reconciliation as"
            " select 'payments' as table_name, 3::bigint as accepted_rows"
        )
    assert accepted_before(warehouse) == {"payments": 3}


def test_a_damaged_release_keeps_no_audit_from_its_verdict(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.release_file.write_bytes(b"no database" * 1000)
    assert accepted_before(warehouse) == {}
