"""A closed month's figure that a later release changes is told, once, with what it was."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb

from orchestration import bookkeeping, release
from orchestration.manifest import Manifest
from orchestration.warehouse import Warehouse

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)

MANIFEST = Manifest(
    {
        "nodes": {
            "model.tenure.bridge": {
                "unique_id": "model.tenure.bridge",
                "resource_type": "model",
                "config": {"materialized": "table"},
                "schema": "marts",
                "alias": "bridge",
                "description": "One row per month and tier.",
                "columns": {
                    "month_start": {"description": "A month."},
                    "lost": {
                        "description": "Who left.",
                        "config": {"meta": {"is_headline": True}},
                    },
                },
                "constraints": [],
            }
        },
        "sources": {},
    }
)

Rows = list[tuple[date, str, int, bool]]


def publish(warehouse: Warehouse, number: int, rows: Rows) -> None:
    """Releases a bridge of (month, tier, lost, is_complete), known a day later each time."""
    warehouse.prepare()
    with duckdb.connect(str(warehouse.build_file)) as connection:
        for schema in ("marts", "staging", "quality"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(
            "create or replace table marts.bridge"
            " (month_start date, tier varchar, lost bigint, is_complete boolean)"
        )
        if rows:
            connection.executemany("insert into marts.bridge values (?, ?, ?, ?)", rows)
        connection.execute(
            "create or replace table staging.stg_clock as"
            f" select timestamp '2026-03-10' + interval {number} day as as_of"
        )
        bookkeeping.note_landing(connection, bookkeeping.Landing("hash", 1, 1, {}, START))
        for step in ("build", "audit"):
            bookkeeping.note_step(connection, step)
    release.publish(
        warehouse,
        MANIFEST,
        project_version="1.2.3",
        released_at=START + timedelta(seconds=number),
    )


def restatements(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        return connection.execute(
            "select release_id, month_start, previous_value, current_value"
            " from quality.kpi_restatements order by release_id, month_start"
        ).fetchall()


def test_the_first_release_restates_nothing(warehouse: Warehouse) -> None:
    publish(warehouse, 1, [(JANUARY, "basic", 3, True)])
    assert restatements(warehouse) == []


def test_a_closed_month_that_changes_is_told_and_an_open_one_is_not(warehouse: Warehouse) -> None:
    publish(warehouse, 1, [(JANUARY, "basic", 3, True), (FEBRUARY, "basic", 1, False)])
    publish(
        warehouse,
        2,
        [
            (JANUARY, "basic", 3, True),
            (JANUARY, "premium", 2, True),
            (FEBRUARY, "basic", 9, True),
        ],
    )
    assert restatements(warehouse) == [
        ("20260101T060002Z", JANUARY, Decimal("3.0000"), Decimal("5.0000"))
    ]
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        ((mart, figure, previous, previous_as_of, as_of),) = connection.execute(
            "select mart_name, figure, previous_release_id, previous_as_of, as_of"
            " from quality.kpi_restatements"
        ).fetchall()
    assert (mart, figure, previous) == ("bridge", "lost", "20260101T060001Z")
    assert (previous_as_of.day, as_of.day) == (11, 12)


def test_the_same_figures_again_restate_nothing_and_forget_nothing(warehouse: Warehouse) -> None:
    publish(warehouse, 1, [(JANUARY, "basic", 3, True)])
    publish(warehouse, 2, [(JANUARY, "basic", 4, True)])
    publish(warehouse, 3, [(JANUARY, "basic", 4, True)])
    assert restatements(warehouse) == [
        ("20260101T060002Z", JANUARY, Decimal("3.0000"), Decimal("4.0000"))
    ]


def test_months_that_come_and_go(warehouse: Warehouse) -> None:
    """A late row opens an earlier month; a month that is emptied has no figure any more."""
    publish(warehouse, 1, [(FEBRUARY, "basic", 3, True), (MARCH, "basic", 1, False)])
    publish(warehouse, 2, [(JANUARY, "basic", 1, True), (MARCH, "basic", 1, True)])
    assert restatements(warehouse) == [
        ("20260101T060002Z", JANUARY, None, Decimal("1.0000")),
        ("20260101T060002Z", FEBRUARY, Decimal("3.0000"), None),
    ]


def test_a_rollback_and_a_new_release_keep_what_was_told(warehouse: Warehouse) -> None:
    publish(warehouse, 1, [(JANUARY, "basic", 3, True)])
    publish(warehouse, 2, [(JANUARY, "basic", 4, True)])
    release.rollback(warehouse, None)
    publish(warehouse, 3, [(JANUARY, "basic", 5, True)])
    assert restatements(warehouse) == [
        ("20260101T060002Z", JANUARY, Decimal("3.0000"), Decimal("4.0000")),
        ("20260101T060003Z", JANUARY, Decimal("3.0000"), Decimal("5.0000")),
    ]
