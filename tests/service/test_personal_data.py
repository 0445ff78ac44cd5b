"""Personal data stays in staging, and who asks to be erased is gone, through whole runs.

Something personal is planted in every text column of a service, which is released; then somebody
asks to be erased, and it is run again, as of the same time. Then every file is searched that a run
writes.
"""

import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.warehouse import Warehouse, private_files
from orchestration.errors import InputError
from orchestration.raw.contract import read_raw_contract
from orchestration.releases import erasure, release
from orchestration.settings import PROJECT_DIR
from orchestration.transform.project import ParsedProject
from simulator import simulate
from tests.built_service import build_service
from tests.service.marks import Column, Marks, put_marks, rows_of
from tests.web_server import WebServer, web_server

REQUESTED_AT = "2025-12-30T00:00:00Z"
# months before the one in which the request was made
CLOSED = "< date '2025-12-01'"

# what names nobody, by agreement: ids, and what the service calls its plans, titles and channels
IS_RELEASED = frozenset(
    {
        *("acquisition_channel", "country_code"),
        *("plan_name", "plan_tier", "title_name", "genre"),
        *("promotion_code", "offer_code"),
    }
)

# what is written about a person, and never read any further
IS_PERSONAL = {("subscribers", "email"), ("survey_responses", "comment"), ("refunds", "reason")}


@dataclass(frozen=True)
class Served:
    """A service and what was written about it.

    `before` is a copy of the release from before the request, `told` everything that was printed.
    """

    raw: Path
    place: Warehouse
    marks: Marks
    before: Path
    told: str
    web: WebServer
    gone: str
    returned: str

    def files(self) -> list[Path]:
        paths = sorted(self.place.root.rglob("*"))
        return [path for path in paths if path.is_file() and not path.is_symlink()]


@pytest.fixture(scope="module")
def served(
    parsed_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("personal")
    raw, place, before = folder / "raw", Warehouse(folder / "warehouse"), folder / "before.duckdb"
    simulate(subscribers=200, months=8, seed=3, out=raw, plays_per_month=2.0)
    shutil.rmtree(raw / "erasure_requests")
    # a row to be marked like those of other tables; who asks in earnest is chosen below
    request = erasure.write_requests(raw, ["nobody"], requested_at=datetime(2025, 6, 1, tzinfo=UTC))
    marks = put_marks(raw, read_raw_contract(PROJECT_DIR / "models"))
    request.path.unlink()
    gone, returned = two_active(raw)
    return_after_request(raw, returned)
    told = []
    umask = os.umask(0o022)
    with pytest.MonkeyPatch.context() as patch, web_server() as web:
        patch.setenv("TENURE_ALERT_SLACK_URL", f"{web.address}/slack")
        patch.setenv("TENURE_ALERT_WEBHOOK_URL", f"{web.address}/webhook")
        patch.setenv("TENURE_ALERT_WEBHOOK_SECRET", "whsec_" + 32 * "A")
        release_unjudged(parsed_project, raw, place)
        shutil.copyfile(place.release_file, before)
        asked = ["erase", gone, returned, "--requested-at", REQUESTED_AT, "--raw", str(raw)]
        assert CliRunner().invoke(app, asked).exit_code == 0
        told.append(run(raw, place))
        told.append(refused_run(raw, place, marks, folder / "shifted"))
        yield Served(raw, place, marks, before, "\n".join(told), web, gone, returned)
    os.umask(umask)


def release_unjudged(parsed_project: ParsedProject, raw: Path, place: Warehouse) -> None:
    """Builds and releases without the tests of the data, which takes half the time of a run."""
    with private_files():
        build_service(parsed_project, raw, place, tests="none")
    with duckdb.connect(str(place.build_file)) as connection:
        for step in ("build", "audit"):
            bookkeeping.note_step(connection, step)
    release.publish(
        place, parsed_project.manifest, project_version="1", released_at=datetime.now(UTC)
    )


def run(raw: Path, place: Warehouse) -> str:
    """What `tenure run` prints; planted rows are many, so a share of them must not stop it."""
    limit = json.dumps({"max_quarantined_share": 1.0})
    arguments = ["--raw", str(raw), "--warehouse", str(place.root), "--vars", limit]
    result = CliRunner().invoke(app, ["run", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def refused_run(raw: Path, place: Warehouse, marks: Marks, shifted: Path) -> str:
    """What a run prints that ends at the gate: a row where names should be, marks for numbers."""
    shutil.copytree(raw, shifted)
    mark = marks.text(("subscribers", "email"))
    (shifted / "plans" / "row.csv").write_text(f"p1,{mark},basic,false,2,2025-01-01\n")
    header = "rate_date,currency,rate,recorded_at"
    (shifted / "exchange_rates" / "text.csv").write_text(
        f"{header}\n2025-01-01,EUR,{mark},{mark}\n"
    )
    arguments = ["run", "--raw", str(shifted), "--warehouse", str(place.root)]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InputError)
    # as `main` prints it
    return f"{result.output}\n{result.exception}"


def two_active(raw: Path) -> tuple[str, str]:
    """Two who have paid for months, watched and written, and did nothing since the request."""
    tables = ("subscribers", "survey_responses", "playback_sessions", "subscription_changes")
    with duckdb.connect() as connection:
        for table in tables:
            files = quoted_text(str(raw / table / "part*.parquet"))
            connection.execute(f"create view {table} as from read_parquet({files})")
        rows = connection.execute(
            """
            select subscriber_id
            from subscribers
            semi join survey_responses using (subscriber_id)
            semi join playback_sessions using (subscriber_id)
            anti join (from playback_sessions where ended_at >= '2025-12-30') using (subscriber_id)
            semi join (
                from subscription_changes
                qualify
                    row_number() over (partition by subscription_id order by changed_at desc) = 1
                    and status = 'active'
                    and amount_minor > 0
            ) using (subscriber_id)
            where signed_up_at < '2025-11-01'
            order by subscriber_id
            limit 2
            """
        ).fetchall()
    (gone,), (returned,) = rows
    return gone, returned


def return_after_request(raw: Path, subscriber: str) -> None:
    """Has somebody watch and subscribe anew, a few hours after the request."""
    rows = {
        "subscription_changes": (
            "'late' as change_id, 'sb_late' as subscription_id, 'active' as status,"
            " timestamp '2025-12-30 12:00:00' as changed_at,"
            " timestamp '2025-12-30 12:01:00' as recorded_at"
        ),
        "playback_sessions": (
            "'late' as session_id, timestamp '2025-12-30 13:00:00' as started_at,"
            " timestamp '2025-12-30 14:00:00' as ended_at,"
            " timestamp '2025-12-30 14:01:00' as recorded_at"
        ),
    }
    with duckdb.connect() as connection:
        for table, replaced in rows.items():
            files = quoted_text(str(raw / table / "part*.parquet"))
            target = quoted_text(str(raw / table / "late.parquet"))
            connection.execute(
                f"copy (select * replace ({replaced}) from read_parquet({files})"
                f" where subscriber_id = {quoted_text(subscriber)} order by recorded_at limit 1)"
                f" to {target} (format parquet)"
            )


def is_released(column: Column) -> bool:
    return column[1].endswith("_id") or column[1] in IS_RELEASED


def is_table(path: Path) -> bool:
    return path.suffix in {".duckdb", ".parquet"}


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_every_text_column_was_marked(served: Served) -> None:
    found = set().union(*(served.marks.in_file(path) for path in served.raw.rglob("marked.*")))
    assert found == set(served.marks.columns)
    assert len(found) > 60


def test_what_is_released_tells_nothing_personal(served: Served) -> None:
    leaks: dict[str, set[Column]] = {}
    for suffix in (".duckdb", ".parquet"):
        paths = [path for path in served.files() if path.suffix == suffix]
        found = {
            path: served.marks.in_file(path) for path in paths if path != served.place.build_file
        }
        leaks |= {
            path.name: bad
            for path, columns in found.items()
            if (bad := {column for column in columns if not is_released(column)})
        }
        # the search finds what is there by agreement
        assert {("plans", "plan_name"), ("titles", "title_name"), ("payments", "payment_id")} <= (
            set().union(*found.values())
        )
    assert leaks == {}


def test_logs_pages_alerts_and_output_tell_no_text_of_a_row(served: Served) -> None:
    others = [path for path in served.files() if not is_table(path)]
    found = {path.name: served.marks.in_file(path) for path in others}
    # the page shows names of plans and titles, by agreement
    assert {column for column in found.pop("index.html") if not is_released(column)} == set()
    assert {name for name, columns in found.items() if columns} == set()
    assert {"dbt.log", "checks.html", "alerts.json"} <= set(found)
    posted = [request.body for request in served.web.requests]
    assert served.marks.within(b"\n".join(posted)) == set()
    assert served.marks.within(served.told.encode()) == set()
    # each of them had something to tell of the marked rows
    assert any(b"quarantine_is_small" in body for body in posted)
    assert any(b"text.csv" in body for body in posted)
    assert "kind_is_of_the_list" in served.told
    assert "looks like 'aaa.aa999aa@aaaa.aaaaaaa'" in served.told
    assert "kind_is_of_the_list" in served.place.checks_page.read_text(encoding="utf-8")


def test_a_build_holds_odd_texts_in_staging_alone_and_personal_ones_nowhere(
    served: Served,
) -> None:
    assert served.marks.in_file(served.place.build_file) & IS_PERSONAL == set()
    schemas = {
        schema
        for schema, row in rows_of(served.place.build_file)
        if any(not is_released(column) for column in served.marks.within(row.encode()))
    }
    assert schemas == {"staging"}


def test_a_quarantined_row_still_tells_what_a_list_knows(served: Served) -> None:
    told = read(
        served.place.release_file,
        'select count(*) filter (where row_json like \'%"status":"active"%\'),'
        " count(*) filter (where row_json like '%@aaaa.aaaaaaa%')"
        " from quality.quarantined_rows where table_name = 'subscription_changes'",
    )
    ((known, hidden),) = told
    assert int(str(known)) > 0
    assert int(str(hidden)) > 0


def test_no_file_is_open_to_others(served: Served) -> None:
    entries = [served.place.root, *served.place.root.rglob("*")]
    assert {
        path.name: oct(stat.S_IMODE(path.lstat().st_mode))
        for path in entries
        if not path.is_symlink() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    } == {}
    assert len(entries) > 100


def test_who_was_erased_is_in_no_file(served: Served) -> None:
    before = [row for _, row in rows_of(served.before) if served.gone in row]
    assert len(before) > 10
    told = []
    for path in served.files():
        content = path.read_bytes()
        if served.gone.encode() in content or any(served.gone in row for _, row in rows_of(path)):
            told.append(path.name)
    assert told == []
    assert len(list(served.place.releases_dir.glob("*.duckdb"))) == 2


def test_who_returned_is_new(served: Served) -> None:
    current, kept = served.place.release_file, min(served.place.releases_dir.glob("*.duckdb"))
    who = f"where subscriber_id = {quoted_text(served.returned)}"
    people = f"select signed_up_at::varchar from marts.dim_subscribers {who}"
    assert read(current, people) == [("2025-12-30 12:00:00",)]
    lifetimes = "select lifetime_number, started_at::varchar from marts.fct_subscriber_lifetimes"
    assert read(current, f"{lifetimes} {who}") == [(1, "2025-12-30 12:00:00")]
    ((came_first,),) = read(served.before, people)
    assert str(came_first) < "2025-11"
    assert read(kept, people) == []


def aggregates(path: Path) -> dict[str, str | None]:
    """The tables of `marts` that are not by subscriber, each with its column of months if any."""
    rows = read(
        path,
        "select table_name, list(column_name) from duckdb_columns()"
        " where schema_name = 'marts' group by table_name order by table_name",
    )
    months = ("month_start", "cohort_month")
    return {
        str(table): next((name for name in months if name in names), None)
        for table, names in rows
        if isinstance(names, list) and not any(name.endswith("subscriber_id") for name in names)
    }


def differing(served: Served, other: Path, condition: dict[str, str]) -> dict[str, int]:
    """Of each table, under its condition, the rows of one release that the other has not."""
    with duckdb.connect() as connection:
        for name, path in (("earlier", served.before), ("later", other)):
            connection.execute(f"attach {quoted_text(str(path))} as {name} (read_only)")
        counts = {}
        for table, where in condition.items():
            one, two = (
                f"from {quoted_name(name, 'marts', table)} {where}" for name in ("earlier", "later")
            )
            ((differ,),) = connection.execute(
                f"select (select count(*) from (({one}) except all ({two})))"
                f" + (select count(*) from (({two}) except all ({one})))"
            ).fetchall()
            counts[table] = differ
    return {table: count for table, count in counts.items() if count}


def test_aggregates_of_closed_months_are_equal_to_the_cent(served: Served) -> None:
    tables = aggregates(served.place.release_file)
    by_month = {table: f"where {month} {CLOSED}" for table, month in tables.items() if month}
    assert {"mrr_bridge_monthly", "revenue_monthly", "churn_monthly", "clv_cohorts"} <= set(
        by_month
    )
    assert differing(served, served.place.release_file, by_month) == {}
    # the open month tells of somebody new
    assert "churn_monthly" in differing(
        served, served.place.release_file, dict.fromkeys(by_month, "")
    )


def test_a_kept_release_keeps_all_its_aggregates(served: Served) -> None:
    kept = min(served.place.releases_dir.glob("*.duckdb"))
    tables = aggregates(kept)
    assert len(tables) > 20
    assert differing(served, kept, dict.fromkeys(tables, "")) == {}


def test_a_receipt_was_written(served: Served) -> None:
    receipts = [json.loads(path.read_text()) for path in served.place.receipts_dir.iterdir()]
    # the other is of the marks, in whose name requests were made before the first release
    (receipt,) = (each for each in receipts if each["rewritten_releases"])
    assert len(receipt["requests"]) == 2
    ((_, tables),) = receipt["rewritten_releases"].items()
    assert tables["marts.dim_subscribers"] >= 2
