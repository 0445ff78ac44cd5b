"""What the audit reads of the releases that are kept."""

from pathlib import Path

import duckdb

from orchestration.database.warehouse import Warehouse
from orchestration.releases.audit import accepted_before


def keep(warehouse: Warehouse, release_id: str, **accepted: int) -> None:
    path = warehouse.releases_dir / f"{release_id}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema quality")
        connection.execute(
            "create table quality.row_reconciliation (table_name varchar, accepted_rows bigint)"
        )
        for row in accepted.items():
            connection.execute("insert into quality.row_reconciliation values (?, ?)", row)


def test_a_table_that_was_emptied_the_night_before_is_still_known(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.prepare()
    assert accepted_before(warehouse) == {}
    keep(warehouse, "20260101T000000Z", payments=3, refunds=0)
    keep(warehouse, "20260102T000000Z", payments=0, refunds=0)
    assert accepted_before(warehouse) == {"payments": 3, "refunds": 0}


def test_a_release_that_can_not_be_asked_keeps_no_audit_from_its_verdict(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.prepare()
    (warehouse.releases_dir / "20260101T000000Z.duckdb").write_bytes(b"no database" * 1000)
    # of a project that leaves the account out
    duckdb.connect(str(warehouse.releases_dir / "20260102T000000Z.duckdb")).close()
    keep(warehouse, "20260103T000000Z", payments=3)
    assert accepted_before(warehouse) == {"payments": 3}
