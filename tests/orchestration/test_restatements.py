"""A closed month's figure that a later release changes is told, once, with what it was."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb

from orchestration.database import bookkeeping
from orchestration.database.warehouse import Warehouse
from orchestration.releases import release
from orchestration.transform.manifest import Manifest

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
# what a run without any of its own has
VARS = {"as_of": None, "reporting_currency": "USD", "reporting_timezone": "UTC"}
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def model(schema: str, name: str, *headlines: str, **rows: str) -> dict[str, object]:
    return {
        "unique_id": f"model.tenure.{name}",
        "resource_type": "model",
        "config": {"materialized": "table", "meta": {"headline_rows": rows}},
        "schema": schema,
        "alias": name,
        "description": "",
        "columns": {
            column: {"description": "", "config": {"meta": {"is_headline": True}}}
            for column in headlines
        },
        "constraints": [],
    }


MANIFEST = Manifest(
    {
        "nodes": {
            "bridge": model("marts", "bridge", "lost"),
            "dunning": model("marts", "dunning", "lost"),
        },
        "sources": {},
    }
)

Rows = list[tuple[date, str, int, bool]]


def publish(
    warehouse: Warehouse,
    number: int,
    rows: Rows,
    dunning: Rows | None = None,
    manifest: Manifest = MANIFEST,
) -> None:
    """Releases a bridge of (month, tier, lost, is_complete), known a day later each time.

    The mart of dunning is empty if nothing else is said.
    """
    warehouse.prepare()
    with duckdb.connect(str(warehouse.build_file)) as connection:
        for schema in ("marts", "staging", "quality"):
            connection.execute(f"create schema if not exists {schema}")
        for name, content in (("bridge", rows), ("dunning", dunning)):
            connection.execute(
                f"create or replace table marts.{name}"
                " (month_start date, tier varchar, lost bigint, is_complete boolean)"
            )
            if content:
                connection.executemany(f"insert into marts.{name} values (?, ?, ?, ?)", content)
        connection.execute(
            "create or replace table staging.stg_clock as"
            f" select timestamp '2026-03-10' + interval {number} day as as_of"
        )
        bookkeeping.note_landing(connection, bookkeeping.Landing("hash", 1, 1, VARS, START))
        for step in ("build", "audit"):
            bookkeeping.note_step(connection, step)
    release.publish(
        warehouse,
        manifest,
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


def test_of_rows_of_all_and_of_parts_those_of_all_are_the_figure(warehouse: Warehouse) -> None:
    """Three who watched basic and two who watched premium may be four."""
    content = {"bridge": model("marts", "bridge", "lost", tier="all")}
    of_all = Manifest({**MANIFEST.content, "nodes": content})
    parts: Rows = [(JANUARY, "basic", 3, True), (JANUARY, "premium", 2, True)]
    publish(warehouse, 1, [(JANUARY, "all", 4, True), *parts], manifest=of_all)
    publish(warehouse, 2, [(JANUARY, "all", 4, True), *parts[:1]], manifest=of_all)
    assert restatements(warehouse) == []
    publish(warehouse, 3, [(JANUARY, "all", 5, True), *parts], manifest=of_all)
    assert restatements(warehouse) == [
        ("20260101T060003Z", JANUARY, Decimal("4.0000"), Decimal("5.0000"))
    ]


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


def test_the_first_row_of_a_mart_restates_a_month_that_was_closed(warehouse: Warehouse) -> None:
    """The mart had no row; that January was closed all the same, others say."""
    bridge: Rows = [(JANUARY, "basic", 3, True), (FEBRUARY, "basic", 1, False)]
    publish(warehouse, 1, bridge)
    publish(warehouse, 2, bridge, [(JANUARY, "basic", 7, True), (FEBRUARY, "basic", 8, False)])
    assert restatements(warehouse) == [("20260101T060002Z", JANUARY, None, Decimal("7.0000"))]


def test_a_rollback_and_a_new_release_keep_what_was_told(warehouse: Warehouse) -> None:
    publish(warehouse, 1, [(JANUARY, "basic", 3, True)])
    publish(warehouse, 2, [(JANUARY, "basic", 4, True)])
    release.rollback(warehouse, None)
    publish(warehouse, 3, [(JANUARY, "basic", 5, True)])
    assert restatements(warehouse) == [
        ("20260101T060002Z", JANUARY, Decimal("3.0000"), Decimal("4.0000")),
        ("20260101T060003Z", JANUARY, Decimal("3.0000"), Decimal("5.0000")),
    ]


def source(
    name: str,
    event_time: str | None,
    key: str,
    *,
    start_time: str | None = None,
    reaches_back: bool = False,
) -> dict[str, object]:
    columns = {event_time: {"data_type": "timestamp"}} if event_time else {}
    meta = {
        "event_time": event_time,
        "start_time": start_time,
        "key": [key],
        "reaches_back": reaches_back,
    }
    return {
        "unique_id": f"source.tenure.raw.{name}",
        "source_name": "raw",
        "name": name,
        "config": {"meta": meta},
        "columns": columns,
    }


WITH_RAW = Manifest(
    {
        "nodes": {
            "bridge": model("marts", "bridge", "lost"),
            "account": model("quality", "row_reconciliation"),
        },
        "sources": {
            "changes": source("changes", "changed_at", "change_id"),
            "plans": source("plans", None, "recorded_at"),
        },
    }
)
REACHING_BACK = Manifest(
    {
        **WITH_RAW.content,
        "sources": {"changes": source("changes", "changed_at", "change_id", reaches_back=True)},
    }
)

# each change takes two hours
LASTING = Manifest(
    {
        **WITH_RAW.content,
        "sources": {"changes": source("changes", "changed_at", "change_id", start_time="began_at")},
    }
)

Changes = list[tuple[str, str] | tuple[str, str, str]]


def publish_of(
    warehouse: Warehouse,
    changes: Changes,
    *,
    as_of: str,
    lost: int,
    plans: tuple[str, ...] = (),
    fingerprint: str = "hash",
    version: str = "1",
    manifest: Manifest = WITH_RAW,
    **parameters: str,
) -> list[tuple[object, ...]]:
    """Releases January's figure, made of changes; returns its causes.

    A change is `changed_at`, `recorded_at` and its id, which is `changed_at` if it is not given.
    """
    warehouse.prepare()
    horizon = f"timestamp '{as_of}'"
    beyond = f"coalesce(recorded_at >= {horizon} or changed_at >= {horizon}, false)"
    with duckdb.connect(str(warehouse.build_file)) as connection:
        for schema in ("marts", "staging", "quality", "raw"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(
            "create or replace table raw.changes"
            " (changed_at timestamp, recorded_at timestamp, change_id varchar, began_at timestamp)"
        )
        connection.executemany(
            "insert into raw.changes select $1, $2, $3, cast($1 as timestamp) - interval 2 hour",
            [(*change[:2], change[-1] if len(change) > 2 else change[0]) for change in changes],
        )
        connection.execute("create or replace table raw.plans (recorded_at timestamp)")
        for plan in plans:
            connection.execute("insert into raw.plans values (?)", [plan])
        connection.execute(
            "create or replace table quality.row_reconciliation as select 'changes' as table_name,"
            f" count(*) as raw_rows, count(*) filter (where {beyond}) as beyond_as_of_rows"
            " from raw.changes"
        )
        connection.execute(
            "create or replace table marts.bridge as"
            f" select date '2026-01-01' as month_start, {lost} as lost, true as is_complete"
        )
        connection.execute(
            f"create or replace table staging.stg_clock as select timestamp '{as_of}' as as_of"
        )
        bookkeeping.note_landing(
            connection,
            bookkeeping.Landing(fingerprint, 1, 1, {**VARS, **parameters}, START),
        )
        for step in ("build", "audit"):
            bookkeeping.note_step(connection, step)
    released = release.publish(
        warehouse, manifest, project_version=version, released_at=START + timedelta(days=lost)
    )
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        return connection.execute(
            "select cause, table_name, row_count, month_row_count, first_recorded_at::text,"
            " last_recorded_at::text from quality.restatement_causes"
            " where release_id = ? and month_start = '2026-01-01' order by cause, table_name",
            [released.release_id],
        ).fetchall()


FIRST: Changes = [("2026-01-05 00:00", "2026-01-05 01:00")]
LATE: Changes = [
    ("2026-01-20 00:00", "2026-03-11 10:00"),
    ("2025-12-02 00:00", "2026-03-11 12:00"),
    # says nothing of January
    ("2026-02-02 00:00", "2026-03-11 13:00"),
    # not known at either horizon
    ("2026-01-21 00:00", "2026-03-12 00:00"),
]


def test_late_rows_are_the_cause_with_what_selects_them(warehouse: Warehouse) -> None:
    assert publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3) == []
    plans = ("2026-03-11 05:00",)
    causes = publish_of(warehouse, FIRST + LATE, plans=plans, as_of="2026-03-12", lost=5)
    assert causes == [
        ("rows became known", "changes", 2, 1, "2026-03-11 10:00:00", "2026-03-11 12:00:00"),
        ("rows became known", "plans", 1, 0, "2026-03-11 05:00:00", "2026-03-11 05:00:00"),
    ]
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        ((condition,),) = connection.execute(
            "select detail from quality.restatement_causes where table_name = 'changes'"
        ).fetchall()
    with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
        selected = connection.execute(
            f"select changed_at::text from raw.changes where {condition} order by 1"
        ).fetchall()
    assert [changed_at[:10] for (changed_at,) in selected] == [
        "2025-12-02",
        "2026-01-20",
        "2026-02-02",
    ]


def test_rows_are_told_by_the_months_of_the_reporting_days(warehouse: Warehouse) -> None:
    """Four hours after midnight in UTC it is still January in New York."""
    late: Changes = [("2026-02-01 04:00", "2026-03-11 10:00")]
    new_york = {"reporting_timezone": "America/New_York"}
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3, **new_york)
    causes = publish_of(warehouse, FIRST + late, as_of="2026-03-12", lost=4, **new_york)
    at = "2026-03-11 10:00:00"
    assert causes == [("rows became known", "changes", 1, 1, at, at)]


def test_no_cause_is_sought_where_nothing_was_restated(warehouse: Warehouse) -> None:
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3)
    assert publish_of(warehouse, FIRST + LATE, as_of="2026-03-12", lost=3) == []


def test_a_row_that_moves_out_of_the_month_is_a_cause(warehouse: Warehouse) -> None:
    """Its new version says February; the one of January was known, and counts no more."""
    known: Changes = [("2026-01-05 00:00", "2026-01-05 01:00", "c1")]
    moved: Changes = [
        ("2026-02-05 00:00", "2026-03-11 10:00", "c1"),
        ("2026-02-06 00:00", "2026-03-11 11:00", "c2"),
    ]
    publish_of(warehouse, known, as_of="2026-03-11", lost=3)
    causes = publish_of(warehouse, known + moved, as_of="2026-03-12", lost=2)
    at = "2026-03-11 10:00:00"
    assert causes == [("rows became known", "changes", 1, 0, at, at)]


def test_a_later_row_is_a_cause_in_a_table_that_reaches_back(warehouse: Warehouse) -> None:
    """As a return in February that bridges a stop in January."""
    later: Changes = [("2026-02-01 00:00", "2026-03-11 10:00")]
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3, manifest=REACHING_BACK)
    causes = publish_of(
        warehouse, FIRST + later, as_of="2026-03-12", lost=2, manifest=REACHING_BACK
    )
    at = "2026-03-11 10:00:00"
    assert causes == [("rows became known", "changes", 1, 0, at, at)]


def test_a_row_that_began_in_the_month_is_a_cause(warehouse: Warehouse) -> None:
    """As a session that began before midnight and was over after it."""
    late: Changes = [("2026-02-01 01:00", "2026-03-11 10:00")]
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3, manifest=LASTING)
    causes = publish_of(warehouse, FIRST + late, as_of="2026-03-12", lost=4, manifest=LASTING)
    at = "2026-03-11 10:00:00"
    assert causes == [("rows became known", "changes", 1, 1, at, at)]


def test_an_earlier_horizon_knows_fewer_rows(warehouse: Warehouse) -> None:
    publish_of(warehouse, FIRST + LATE, as_of="2026-03-12", lost=5)
    ((cause, table, rows, of_month, *_),) = publish_of(
        warehouse, FIRST + LATE, as_of="2026-03-11", lost=6
    )
    assert (cause, table, rows, of_month) == ("rows are not known yet", "changes", 2, 1)


def test_rows_that_came_behind_the_horizon(warehouse: Warehouse) -> None:
    """One that says that it was recorded in January, but was not there in March; then it goes."""
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3)
    more = [*FIRST, ("2026-01-06 00:00", "2026-01-06 01:00")]
    behind = "rows came or went behind the horizon"
    told = publish_of(warehouse, more, as_of="2026-03-11", lost=4)
    assert told == [(behind, "changes", 1, None, None, None)]
    told = publish_of(warehouse, FIRST, as_of="2026-03-11", lost=5)
    assert told == [(behind, "changes", -1, None, None, None)]


def test_causes_that_are_no_rows(warehouse: Warehouse) -> None:
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3)
    told = publish_of(
        warehouse, FIRST, as_of="2026-03-11", lost=4, version="2", reporting_currency="EUR"
    )
    assert [cause for cause, *_ in told] == ["other parameters", "other project version"]
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        ((detail,),) = connection.execute(
            "select detail from quality.restatement_causes where cause = 'other parameters'"
        ).fetchall()
    assert detail == '{"reporting_currency": "USD"} became {"reporting_currency": "EUR"}'
    told = publish_of(
        warehouse,
        FIRST,
        as_of="2026-03-11",
        lost=5,
        version="2",
        reporting_currency="EUR",
        fingerprint="other",
    )
    assert [cause for cause, *_ in told] == ["other raw files"]


def test_raw_files_that_went_keep_no_release_back(warehouse: Warehouse) -> None:
    publish_of(warehouse, FIRST, as_of="2026-03-11", lost=3)
    with duckdb.connect(str(warehouse.build_file)) as connection:
        connection.execute("update marts.bridge set lost = 4")
        gone = warehouse.root / "gone.parquet"
        connection.execute(f"copy raw.changes to '{gone}' (format parquet)")
        connection.execute("drop table raw.changes")
        connection.execute(f"create view raw.changes as from read_parquet('{gone}')")
    gone.unlink()
    released = release.publish(
        warehouse, WITH_RAW, project_version="1", released_at=START + timedelta(days=9)
    )
    with duckdb.connect(str(warehouse.release_file), read_only=True) as connection:
        told = connection.execute(
            "select release_id, cause from quality.restatement_causes"
        ).fetchall()
    assert told == [(released.release_id, "raw files can't be read any more")]
