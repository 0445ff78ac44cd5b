"""Faults put into the feeds of a clean service, and which check minds each; and its clean days.

Only the profile of the feeds is built, by the SQL that dbt compiles, and only the suites are
judged. As a program it prints the table of `docs/reliability.md`; tests run a smaller form.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.audit import frame_slot, judge_suite
from expectations.feeds import feed_suites
from expectations.frames import feed_frames
from expectations.outcomes import CheckOutcome
from orchestration.raw import landing
from orchestration.raw.folder import open_raw_folder
from orchestration.transform.project import DbtProject
from simulator.service import simulate
from tests.one_parse import invoke_dbt, what_failed

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition

ROOT = Path(__file__).parents[2]
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
CLEAN = "clean"
# what the longest look back of a check needs, and thirty days more
KEPT_DAYS = 170

LAST_DAY = "cast(recorded_at as date) = date '2025-12-31'"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one raw table on the last day.

    Attributes:
        name: What happened, for a person.
        table_name: The raw table that it happens to.
        replaced: Column → SQL of its new value; `where` says in which rows.
        where: The rows that are touched, on the last day.
        kept: Rows that still come; the others do not.
        added: Columns replaced in a second copy of the touched rows, or none.
        caught_by: The checks, of the table's suite, that must mind.
    """

    name: str
    table_name: str
    caught_by: frozenset[str]
    replaced: tuple[tuple[str, str], ...] = ()
    where: str = "true"
    kept: str = "true"
    added: tuple[tuple[str, str], ...] | None = None

    def query(self) -> str:
        """The table as it comes with the fault."""
        source = f"select * from {CLEAN}.{self.table_name} where {self.kept}"
        touched = f"{LAST_DAY} and {self.where}"
        if self.added is not None:
            return f"{source} union all select {_star(self.added)} from ({source}) where {touched}"
        if not self.replaced:
            return source
        changed = tuple(
            (column, f"case when {touched} then {value} else {column} end")
            for column, value in self.replaced
        )
        return f"select {_star(changed)} from ({source})"


def _star(replaced: tuple[tuple[str, str], ...]) -> str:
    values = ", ".join(f"{value} as {column}" for column, value in replaced)
    return f"* replace ({values})" if replaced else "*"


VOLUME = "rows_of_a_day_are_near_the_usual"
EMPTY = "no_day_is_empty"
FRESH = "feed_is_fresh"
REPEATED = "rows_are_not_repeated_more_than_usual"
HOURS = "events_cover_the_usual_hours"
DELAY = "events_arrive_as_late_as_usual"
EARLY = "events_do_not_lie_after_their_arrival"
COMPLETE = "rows_are_complete"
MIX = "shares_stay_near_those_of_28_days"
LINES = "lines_add_up_to_their_invoices"

FAULTS = (
    Fault(
        "the second half of a day is missing",
        "playback_sessions",
        frozenset({VOLUME, HOURS}),
        kept=f"not ({LAST_DAY} and hour(recorded_at) >= 12)",
    ),
    Fault(
        "euros come as 100 times as much (cents taken for euros)",
        "payments",
        frozenset({"mean_amount_minor_keeps_its_scale"}),
        replaced=(("amount_minor", "amount_minor * 100"),),
        where="currency = 'EUR'",
    ),
    Fault(
        "a batch comes twice, under new ids",
        "playback_sessions",
        frozenset({VOLUME}),
        added=(("session_id", "session_id || '-again'"),),
    ),
    Fault(
        "a batch comes twice, under new ids, on a thin day",
        "invoices",
        frozenset({LINES}),
        added=(("invoice_id", "invoice_id || '-again'"),),
    ),
    Fault("a batch comes twice, as it was", "payments", frozenset({REPEATED}), added=()),
    Fault(
        "a timestamp is frozen at midnight",
        "playback_sessions",
        frozenset({HOURS, DELAY}),
        replaced=(("ended_at", "cast(cast(recorded_at as date) as timestamp)"),),
    ),
    Fault(
        "a plan is renamed where it is used, not where it is listed",
        "subscription_changes",
        frozenset({MIX}),
        replaced=(("plan_id", "'plan_standard_v2'"),),
        where="plan_id = 'plan_standard'",
    ),
    Fault(
        "a country's sign-ups are missing",
        "subscribers",
        frozenset({MIX}),
        kept=f"not ({LAST_DAY} and country_code = 'DE')",
    ),
    Fault(
        "a burst of nulls in a column that must be filled",
        "playback_sessions",
        frozenset({COMPLETE, MIX}),
        replaced=(("subscriber_id", "null"),),
        where="hash(session_id) % 5 = 0",
    ),
    Fault(
        "a burst of nulls in a column that may be empty",
        "subscribers",
        frozenset({MIX}),
        replaced=(("country_code", "null"),),
        where="hash(subscriber_id) % 5 = 0",
    ),
    Fault(
        "payments stop for a day",
        "payments",
        frozenset({VOLUME, EMPTY}),
        kept=f"not ({LAST_DAY})",
    ),
    Fault(
        "nothing new comes for three days",
        "subscription_changes",
        frozenset({VOLUME, EMPTY, FRESH}),
        kept="recorded_at < timestamp '2025-12-29'",
    ),
    Fault(
        "every play ends as a start-up failure",
        "playback_sessions",
        frozenset({MIX}),
        replaced=(("end_cause", "'startup_failure'"),),
    ),
    Fault(
        "a clock goes five hours slow",
        "playback_sessions",
        frozenset({DELAY}),
        replaced=(
            ("started_at", "started_at - interval 5 hour"),
            ("ended_at", "ended_at - interval 5 hour"),
        ),
    ),
    Fault(
        "a clock goes five hours fast",
        "payments",
        frozenset({EARLY, DELAY}),
        # what lies after the horizon has not happened yet
        replaced=(
            ("attempted_at", "least(attempted_at + interval 5 hour, timestamp '2025-12-31 23:59')"),
        ),
    ),
    Fault(
        "a fifth of the lines is missing",
        "invoice_lines",
        frozenset({LINES}),
        kept=f"not ({LAST_DAY} and hash(invoice_id) % 5 = 0)",
    ),
    Fault(
        "a status gets another name",
        "payments",
        frozenset({"status_is_of_the_list", MIX}),
        replaced=(("status", "'settled'"),),
        where="status = 'succeeded'",
    ),
    Fault(
        "some amounts come with their sign turned",
        "payments",
        frozenset({"amount_minor_is_not_too_low"}),
        replaced=(("amount_minor", "-amount_minor"),),
        where="hash(payment_id) % 50 = 0",
    ),
)
QUICK_FAULTS = FAULTS[::3]


@dataclass
class Feeds:
    """The profile of a service's feeds, and how its suites come out with and without a fault."""

    connection: duckdb.DuckDBPyConnection
    profiles: dict[str, str]
    slot: "BatchDefinition[Any]"

    def outcomes(self, as_of: datetime = AS_OF, *, of: tuple[str, ...] = ()) -> list[CheckOutcome]:
        """The outcomes of the suites of these raw tables, or of all, at a horizon."""
        frames = feed_frames(self.connection, as_of)
        by_table = {suite.name.removeprefix("feed_"): suite for suite in feed_suites()}
        return [
            outcome
            for table_name, suite in by_table.items()
            if not of or table_name in of
            for outcome in judge_suite(self.slot, suite, frames.get(table_name, {}))
        ]

    def minded(self, fault: Fault) -> list[CheckOutcome]:
        """What does not hold with the fault, of its table and of those that are held against it."""
        beside = ("invoice_lines",) if fault.table_name == "invoices" else ()
        with self._with_fault(fault):
            outcomes = self.outcomes(of=(fault.table_name, *beside))
        return [outcome for outcome in outcomes if not outcome.success]

    @contextmanager
    def _with_fault(self, fault: Fault) -> Iterator[None]:
        self.connection.begin()
        try:
            self._deliver(fault.table_name, fault.query())
            yield
        finally:
            self.connection.rollback()

    def _deliver(self, table_name: str, query: str) -> None:
        self.connection.execute(f"create or replace view raw.{table_name} as {query}")
        self.connection.execute(
            "delete from quality.feed_profile where table_name = ?", [table_name]
        )
        self.connection.execute(f"insert into quality.feed_profile {self.profiles[table_name]}")


@contextmanager
def feeds_of(*, subscribers: int, months: int, seed: int, dirt: bool = False) -> Iterator[Feeds]:
    """The profile of a simulated service, in a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tenure-feeds-"))
    try:
        raw = folder / "raw"
        simulate(
            out=raw,
            subscribers=subscribers,
            months=months,
            seed=seed,
            plays_per_month=2.0,
            dirt=dirt,
            end=AS_OF,
        )
        contract = DbtProject(ROOT).contract()
        inspection = landing.inspect(open_raw_folder(raw, contract), contract)
        with duckdb.connect(str(folder / "build.duckdb")) as connection:
            landing.lay_views(connection, inspection)
        _run_dbt(folder)
        with duckdb.connect(str(folder / "build.duckdb")) as connection:
            # nothing is built but the profile: no table has another version of a row
            connection.execute(
                "create table quality.row_reconciliation"
                " (table_name varchar, raw_rows bigint, superseded_rows bigint)"
            )
            connection.execute(f"create schema {CLEAN}")
            for findings in inspection.tables:
                name = findings.table.name
                connection.execute(
                    f"create table {CLEAN}.{name} as select * from raw.{name}"
                    f" where recorded_at >= timestamp '{AS_OF:%Y-%m-%d}'"
                    f" - interval {KEPT_DAYS} day"
                )
            yield Feeds(connection, _compiled_profiles(folder), frame_slot())
    finally:
        shutil.rmtree(folder)


def _run_dbt(folder: Path) -> None:
    arguments = [
        *("run", "--select", "+stg_profiles__playback_sessions", "path:models/staging/profiles"),
        *("feed_profile", "--vars", f"{{as_of: '{AS_OF:%Y-%m-%d %H:%M:%S}'}}"),
    ]
    result = invoke_dbt(arguments, folder, target=folder / "target")
    assert result.success, what_failed(result)


def _compiled_profiles(folder: Path) -> dict[str, str]:
    return {
        path.stem.removeprefix("stg_profiles__"): path.read_text(encoding="utf-8")
        for path in (folder / "target" / "compiled").rglob("stg_profiles__*.sql")
    }


def clean_days(feeds: Feeds, days: int) -> Iterator[list[CheckOutcome]]:
    """All outcomes at the end of each of the last days, newest first."""
    for day in range(days):
        yield feeds.outcomes(AS_OF - timedelta(days=day))


def main() -> None:
    """Prints both tables; fails if a fault is missed or a clean day is minded."""
    is_bad = False
    with feeds_of(subscribers=60_000, months=12, seed=11) as feeds:
        _say("| fault | raw table | caught by | severity | also minded by |")
        _say("| --- | --- | --- | --- | --- |")
        for fault in FAULTS:
            minded = feeds.minded(fault)
            caught = {each.expectation for each in minded} & fault.caught_by
            is_bad |= caught != fault.caught_by
            severities = {each.severity for each in minded if each.expectation in caught}
            others = {each.expectation for each in minded} - caught
            cells = (
                fault.name,
                f"`{fault.table_name}`",
                _listed(caught) or "**nothing**",
                ", ".join(sorted(severities)),
                _listed(others),
            )
            _say(f"| {' | '.join(cells)} |")
        days = list(clean_days(feeds, 30))
    outcomes = [outcome for day in days for outcome in day]
    judged = sum(outcome.observed != "nothing to judge" for outcome in outcomes)
    false_alarms = [outcome for outcome in outcomes if not outcome.success]
    _say(f"\n{len(days)} clean days, {judged} judged, {len(false_alarms)} false alarms")
    for alarm in false_alarms:
        _say(f"- {alarm.suite}, {alarm.expectation}: {alarm.observed}")
    sys.exit(is_bad or bool(false_alarms))


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
