"""The expectations as a run sees them: which there are, how they came out, is that enough."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from orchestration.database import bookkeeping
from orchestration.database.bookkeeping import RECONCILIATION
from orchestration.database.sql_text import quoted_name
from orchestration.database.warehouse import Warehouse, disk_full_told, private_files
from orchestration.errors import AuditError, BuildError
from orchestration.raw.contract import SOURCE_NAME
from orchestration.releases.kept import kept_releases

if TYPE_CHECKING:
    from expectations.outcomes import CheckOutcome


@dataclass(frozen=True)
class PlannedCheck:
    """An expectation that every audit judges; `asset` is the key of the table at fault."""

    name: str
    asset: tuple[str, ...]
    why: str


def planned_checks() -> tuple[PlannedCheck, ...]:
    """All expectations, as known before anything is judged."""
    from expectations.feeds import feed_suites
    from expectations.release import release_suite

    return tuple(
        PlannedCheck(
            name=name_of(suite.name, expectation.name),
            asset=asset_of(expectation.table_name),
            why=expectation.why,
        )
        for suite in (*feed_suites(), release_suite())
        for expectation in suite.expectations
    )


def name_of(suite: str, expectation: str) -> str:
    """The name of an expectation that no other suite's has."""
    return f"{suite}__{expectation}"


def asset_of(table_name: str) -> tuple[str, ...]:
    """The asset key of a table: `schema.name`, or a raw table's name alone."""
    schema, point, name = table_name.partition(".")
    return (schema, name) if point else (SOURCE_NAME, table_name)


def preload() -> None:
    """Begins to load Great Expectations, which takes seconds, while another thing is awaited."""
    from expectations.audit import preload as preload_expectations

    preload_expectations()


def judge(warehouse: Warehouse) -> Sequence["CheckOutcome"]:
    """The outcome of every expectation on what the build made."""
    # Great Expectations takes seconds to load: only here, where it is needed
    from expectations.audit import judge as judge_expectations

    with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
        as_of = bookkeeping.knowledge_horizon(connection)
        if as_of is None:
            raise BuildError("there is no build to audit: run the whole job, or `tenure run`")
        return judge_expectations(
            connection,
            as_of=as_of.replace(tzinfo=UTC),
            accepted_before=accepted_before(warehouse),
        )


def accepted_before(warehouse: Warehouse) -> dict[str, int]:
    """The most rows of each raw table that a kept release was made of; none of one that is damaged.

    Of the last release alone it would be the emptied one on the second night.
    """
    accepted: dict[str, int] = {}
    for release_id in kept_releases(warehouse):
        path = warehouse.releases_dir / f"{release_id}.duckdb"
        with suppress(duckdb.Error), duckdb.connect(str(path), read_only=True) as connection:
            for table_name, rows in connection.execute(
                f"select table_name, accepted_rows from {quoted_name(*RECONCILIATION)}"
            ).fetchall():
                accepted[table_name] = max(rows, accepted.get(table_name, 0))
    return accepted


def note(warehouse: Warehouse, outcomes: Sequence["CheckOutcome"]) -> None:
    """Notes the outcomes and writes their page; raises AuditError if a critical one failed."""
    with (
        private_files(),
        disk_full_told(warehouse.root),
        duckdb.connect(str(warehouse.build_file)) as connection,
    ):
        bookkeeping.forget_steps(connection, {bookkeeping.AUDITED})
        as_of, checked_at = bookkeeping.knowledge_horizon(connection), datetime.now(UTC)
        bookkeeping.note_checks(
            connection,
            [check_result(outcome) for outcome in outcomes],
            as_of=as_of,
            checked_at=checked_at,
        )
        if as_of is not None:
            write_page(warehouse, outcomes, as_of=as_of.replace(tzinfo=UTC), checked_at=checked_at)
        failed = [
            outcome
            for outcome in outcomes
            if not outcome.success and outcome.severity == "critical"
        ]
        if failed:
            raise AuditError(refusal(failed))
        bookkeeping.note_step(connection, bookkeeping.AUDITED)


def write_page(
    warehouse: Warehouse,
    outcomes: Sequence["CheckOutcome"],
    *,
    as_of: datetime,
    checked_at: datetime,
) -> None:
    """Puts the page of the outcomes in place of the last one, whole."""
    from expectations.page import checks_page

    new = warehouse.checks_page.with_suffix(".html.new")
    with private_files():
        # of a killed run; a file that is there would keep its own rights
        new.unlink(missing_ok=True)
        new.write_text(checks_page(outcomes, as_of=as_of, checked_at=checked_at), encoding="utf-8")
        new.replace(warehouse.checks_page)


def check_result(outcome: "CheckOutcome") -> bookkeeping.CheckResult:
    """An outcome as a row of `quality.check_results`."""
    is_critical = outcome.severity == "critical"
    failed: bookkeeping.Status = "failed" if is_critical else "warned"
    return bookkeeping.CheckResult(
        check_name=outcome.expectation,
        kind="expectation",
        suite=outcome.suite,
        table_name=".".join(asset_of(outcome.table_name)),
        column_name=None if outcome.column == "all" else outcome.column,
        severity=outcome.severity,
        status="passed" if outcome.success else failed,
        failures=outcome.failures,
        message="" if outcome.success else outcome.observed,
        why=outcome.why,
        owner=outcome.owner,
        what_to_do=outcome.what_to_do,
    )


def refusal(failed: Sequence["CheckOutcome"]) -> str:
    """Why nothing is released, for a person."""
    lines = [f"the audit said no: {len(failed)} critical checks failed."]
    for outcome in failed:
        lines.append(f"  {outcome.table_name}, {outcome.expectation}: {outcome.observed}")
        lines.append(f"    {outcome.why} {outcome.what_to_do} ({outcome.owner})")
    lines.append("Nothing was released; the last release stands.")
    return "\n".join(lines)
