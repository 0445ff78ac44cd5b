"""What a run tells when it ends: which checks are broken, what of it is of the run itself.

What belongs here: what is wrong, read from the books of the build. What does not: who is told, when
and how, which `alerting` decides. Nothing of it is loaded where no place for alerts is set.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration.database import bookkeeping
from orchestration.database.bookkeeping import CheckResult
from orchestration.database.sql_text import quoted_name
from orchestration.database.warehouse import Warehouse, private_files, says_disk_full
from orchestration.errors import (
    AuditError,
    BuildError,
    DamagedError,
    Fault,
    InputError,
    RefusedError,
    StoppedError,
    TenureError,
    counted,
)
from orchestration.pages.runbook import KINDS, page_of_expectation, page_of_rule
from orchestration.releases.candidate import CHECK_RESULTS
from orchestration.releases.kept import current_release, released_since
from orchestration.settings import is_any_set
from orchestration.transform.data_tests import Rule, rules_of
from orchestration.transform.failing_rows import failing_keys
from orchestration.transform.manifest import Manifest, NodeProperties, test_fault

if TYPE_CHECKING:
    from alerting.desk import Desk
    from alerting.incidents import Trouble
    from alerting.settings import AlertSettings

PREFIX = "TENURE_ALERT_"

RUN = "run"
LATE = "release_is_late"
MAX_FAULTS_TOLD = 5

# how a broken step is told: its name, then words of the engine, which may quote a value
BROKEN_STEP = re.compile(r"^  (\w+): ", re.MULTILINE)

# in the key of a failing row of what counts rows by raw table
RAW_TABLE = re.compile(r"\btable_name (\w+)")

RUN_ENDS = {
    1: "The run broke.",
    2: "The raw data or the call of the run are wrong.",
    3: "The audit refused what was built.",
}


def run_ended(
    place: Warehouse, note: Callable[[str], None], *, began: datetime, error: Exception | None
) -> None:
    """Tells what there is to tell of a run that began then and ended so, and notes how it went.

    Never raises: whatever is wrong with an alert, the run ends as it would have.
    """
    if isinstance(error, StoppedError) or not is_any_set(PREFIX):
        return
    try:
        for line in _follow_up(place, began=began, error=error):
            note(line)
    except Exception as defect:  # noqa: BLE001 - and its words may hold what is secret
        note(f"alerts: not told, {type(defect).__name__}: see tenure alerts test")


def watch(place: Warehouse, *, now: datetime) -> list[str]:
    """Tells of a release that is late, reminds of what is open, and tries again what waits.

    Returns what came of it, a line each; raises InputError where no place is set, or there is no
    such warehouse.
    """
    place.check_is_there()
    with private_files():
        return _watch(place, now)


def _watch(place: Warehouse, now: datetime) -> list[str]:
    from alerting.incidents import Judged

    desk = desk_of(place)
    try:
        current = current_release(place)
    except BuildError as error:
        # how old it is nobody can say, and what waits is sent all the same
        return [str(error), *desk.follow_up([], Judged(), now=now)]
    if current is None:
        told = desk.follow_up([], Judged(), now=now)
        return ["no release yet, so that none can be late", *told]
    limit = timedelta(hours=desk.settings.late_after_hours)
    trouble = late(place, current.released_at.replace(tzinfo=UTC), limit=limit, now=now)
    lines = desk.follow_up(
        [trouble] if trouble else [], Judged(keys=frozenset({f"{LATE}@{RUN}"})), now=now
    )
    verdict = trouble.what if trouble else f"release {current.release_id} is not late"
    return [verdict, *lines]


def late(
    place: Warehouse, released_at: datetime, *, limit: timedelta, now: datetime
) -> "Trouble | None":
    """The trouble of a release that is older than the limit."""
    from alerting.incidents import Trouble

    if now - released_at <= limit:
        return None
    manifest = _manifest(place)
    return Trouble(
        check=LATE,
        table=RUN,
        severity="critical",
        what=f"The last release is of {released_at:%Y-%m-%d %H:%M} UTC, more than"
        f" {limit / timedelta(hours=1):g} hours ago.",
        since=released_at + limit,
        marts=_all_marts(manifest),
        why="Readers take figures for today's that are not.",
        what_to_do="See whether runs are still started, and how the last one ended.",
        owner="analytics",
        page=LATE,
    )


def desk_of(place: Warehouse) -> "Desk":
    """The desk of a warehouse; raises InputError where settings are wrong or no place is set."""
    from alerting.desk import Desk
    from alerting.outbox import Outbox

    settings = _settings()
    if not settings.places:
        advice = f"Set {PREFIX}SLACK_URL, {PREFIX}WEBHOOK_URL or {PREFIX}SMTP_HOST"
        raise InputError((Fault("no place is set that alerts could go to", advice),))
    return Desk(settings, Outbox(place.root))


def _settings() -> "AlertSettings":
    from pydantic import ValidationError

    from alerting.settings import AlertSettings, faults_of

    try:
        return AlertSettings()
    except ValidationError as error:
        raise InputError(tuple(Fault(fault) for fault in faults_of(error))) from None


def _follow_up(place: Warehouse, *, began: datetime, error: Exception | None) -> list[str]:
    try:
        settings = _settings()
    except InputError as wrong:
        return [f"alerts: not told, their settings are wrong: {wrong}"]
    if not settings.places:
        return []
    from alerting.incidents import Judged

    with private_files():
        # a call that is wrong may end before there is a folder, or as none can be made
        with suppress(InputError):
            place.prepare()
        try:
            broken = troubles(place, began=began, error=error)
            # only who released has looked at everything
            has_judged = error is None or bool(released_since(place, began))
        except (OSError, duckdb.Error, TenureError):
            if error is None:
                raise
            # of a warehouse that can't be read it is known that the run ended badly
            broken, has_judged = [_of_the_end(error, None)], False
        return desk_of(place).follow_up(
            broken, Judged(everything=has_judged), now=datetime.now(UTC)
        )


def troubles(place: Warehouse, *, began: datetime, error: Exception | None) -> list["Trouble"]:
    """What is wrong at the end of a run: its failed checks, or else the run's own failure."""
    manifest = _manifest(place)
    stands = f" {_standing(place)}" if error else ""
    has_released = bool(released_since(place, began))
    found: list[Trouble] = []
    with _build_of(place, began) as connection:
        describe = _Describer(place, connection, manifest, error, stands)
        # the next run may have begun the build's books anew, but what was released stands
        results = _released_checks(place) if error is None else _noted_checks(connection)
        found = [describe.trouble(result) for result in results if result.status != "passed"]
    if error is None or any(
        trouble.severity == "critical" and _is_of_check(error) for trouble in found
    ):
        return found
    return [*found, _of_the_end(error, manifest, stands=stands, has_released=has_released)]


def _of_the_end(
    error: Exception, manifest: Manifest | None, *, stands: str = "", has_released: bool = False
) -> "Trouble":
    """The trouble that is the run's own end."""
    from alerting.incidents import Trouble

    status = error.exit_status if isinstance(error, TenureError) else 1
    return Trouble(
        check=f"run_exit_{status}",
        table=RUN,
        severity="critical",
        what=f"{run_failure(error)}{stands}",
        marts=_all_marts(manifest),
        why="What follows on the release is not done: its page, or ids that are to be erased."
        if has_released
        else "Nothing new is released: readers see the figures of the last release.",
        what_to_do="The output of the run says what it failed of.",
        owner="data" if status == InputError.exit_status else "analytics",
        page=f"run_exit_{status}",
    )


def run_failure(error: Exception) -> str:
    """What a run failed of, in words that can't hold a value of a raw row."""
    status = error.exit_status if isinstance(error, TenureError) else 1
    told = RUN_ENDS[status]
    if isinstance(error, InputError):
        # faults name files, tables and columns, never values
        lines = str(error).splitlines()
        more = len(lines) - MAX_FAULTS_TOLD
        return "\n".join(
            [told, *lines[:MAX_FAULTS_TOLD], *([f"and {more} more"] if more > 0 else [])]
        )
    if isinstance(error, RefusedError):
        return f"{told} {error}."
    if says_disk_full(str(error)) or ("disk" in str(error) and "is full" in str(error)):
        return f"{told} The disk is full."
    steps = BROKEN_STEP.findall(str(error)) if isinstance(error, TenureError) else []
    return f"{told} Steps that broke: {', '.join(steps[:MAX_FAULTS_TOLD])}." if steps else told


def _released_checks(place: Warehouse) -> list[CheckResult]:
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        return bookkeeping.read_checks(connection, quoted_name(*CHECK_RESULTS))


def _noted_checks(connection: duckdb.DuckDBPyConnection | None) -> list[CheckResult]:
    if connection is None:
        return []
    try:
        return bookkeeping.read_checks(connection, bookkeeping.CHECKS)
    except duckdb.Error:
        # what broke the run may have broken its books
        return []


def _is_of_check(error: Exception) -> bool:
    return isinstance(error, (InputError, AuditError))


@dataclass(frozen=True)
class _Describer:
    """Makes a trouble of a check that failed, with its lineage and the keys of its rows."""

    place: Warehouse
    connection: duckdb.DuckDBPyConnection | None
    manifest: Manifest | None
    error: Exception | None
    stands: str

    def trouble(self, result: CheckResult) -> "Trouble":
        from alerting.incidents import Trouble

        is_critical = result.status == "failed"
        test, rule = self._test(result)
        kind = KINDS.get(rule.kind or "") if rule else None
        trouble = Trouble(
            check=result.check_name,
            table=result.table_name,
            severity="critical" if is_critical else "warning",
            what=_sentence(self._what(result, test)) + (self.stands if is_critical else ""),
            marts=self.manifest.marts_touched(result.table_name) if self.manifest else (),
            owner=result.owner,
            why=" ".join((result.why or (kind.means if kind else "")).split()),
            what_to_do=" ".join((result.what_to_do or (kind.what_to_do if kind else "")).split()),
            page=page_of(result, rule),
        )
        if test is None or rule is None or self.connection is None:
            return trouble
        keys = failing_keys(self.connection, rule.failing_rows(compiled_sql(self.place, test)))
        return replace(trouble, keys=tuple(keys), marts=self._marts(trouble.marts, keys))

    def _marts(self, by_lineage: tuple[str, ...], keys: Iterable[str]) -> tuple[str, ...]:
        """The marts downstream of the table, and of the raw tables that failing rows name."""
        named = {name for key in keys for name in RAW_TABLE.findall(key)}
        if self.manifest is None:
            return by_lineage
        return tuple(
            sorted({*by_lineage, *(m for n in named for m in self.manifest.marts_from(n))})
        )

    def _test(self, result: CheckResult) -> tuple[NodeProperties, Rule] | tuple[None, None]:
        if result.kind != "data test" or self.manifest is None:
            return None, None
        named = (
            (node, rule)
            for node in self.manifest.content["nodes"].values()
            if node["resource_type"] == "test"
            for rule in rules_of(node)
            if rule.name == result.check_name
        )
        return next(named, (None, None))

    def _what(self, result: CheckResult, test: NodeProperties | None) -> str:
        if result.kind == "expectation":
            # figures that were judged, which are aggregates
            return result.message
        if test and test_fault(test) == "input" and isinstance(self.error, InputError):
            return run_failure(self.error)
        if not result.failures:
            return "It could not be judged"
        return f"Failed by {counted(result.failures, 'row')}"


def page_of(result: CheckResult, rule: Rule | None) -> str:
    """The anchor of the runbook's page of a check."""
    if result.kind == "expectation":
        return page_of_expectation(result.suite, result.check_name)
    return page_of_rule(rule) if rule else ""


def compiled_sql(place: Warehouse, test: NodeProperties) -> str:
    """The SQL of a test as the last build ran it; empty if it is not there."""
    folder = place.dbt_dir / "compiled"
    found = sorted(folder.rglob(Path(test["path"]).name))
    return found[0].read_text(encoding="utf-8") if found else ""


@contextmanager
def _build_of(place: Warehouse, began: datetime) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The build's database, if it holds the books of the run that began then."""
    if not place.build_file.exists():
        yield None
        return
    try:
        connection = duckdb.connect(str(place.build_file), read_only=True)
    except duckdb.Error:
        # another run has it by now, and will tell what it finds
        yield None
        return
    with connection:
        yield connection if _began_after(connection, began) else None


def _began_after(connection: duckdb.DuckDBPyConnection, began: datetime) -> bool:
    try:
        rows = connection.execute(f"select max(landed_at) from {bookkeeping.LANDINGS}").fetchall()
    except duckdb.CatalogException:
        return False
    landed_at = rows[0][0]
    return landed_at is not None and landed_at >= began.astimezone(UTC).replace(tzinfo=None)


def _manifest(place: Warehouse) -> Manifest | None:
    try:
        return Manifest.read(place.dbt_dir / "manifest.json")
    except (OSError, DamagedError):
        # a run may end before the project is parsed for the first time
        return None


def _all_marts(manifest: Manifest | None) -> tuple[str, ...]:
    return manifest.all_marts() if manifest else ()


def _standing(place: Warehouse) -> str:
    try:
        current = current_release(place)
    except (duckdb.Error, BuildError):
        return "The release that stands can't be read."
    if current is None:
        return "There is no release yet."
    return (
        f"Readers keep release {current.release_id}, as of {current.as_of:%Y-%m-%d %H:%M:%S} UTC."
    )


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
