"""Erasure: the request, and what has to go beyond the build, which is made without the old id.

A build replaces an erased id by a random one. Here is the rest: the request itself as a raw file,
the releases that were kept from before it, what the build's file still holds of it, and the
receipt.
"""

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.warehouse import (
    REBUILT,
    STORAGE_VERSION,
    Warehouse,
    private_files,
    sync,
    unreadable_told,
)
from orchestration.errors import Fault, InputError
from orchestration.settings import Settings
from orchestration.transform import increments
from orchestration.transform.parameters import LATEST_AS_OF

# the raw table of requests, as the data contract calls it and its columns
REQUESTS = "erasure_requests"
SUBSCRIBER = "subscriber_id"

# where a release tells of single rows in words: in this schema, in these columns
QUALITY = "quality"
RELEASES = "releases"
ROW_KEY = "row_key"
ROW_JSON = "row_json"
MESSAGE = "message"

# in the place of a message that tells of an erased subscriber
REMOVED = "removed with an erased subscriber"

MEMORY_LIMIT = "1GB"
KEY_BYTES = 32

EARLIER = "earlier"
CANDIDATE = "candidate"
SPILL = ".erased-spill"

UNERASED = "it may still tell erased ids and nobody can say; remove it and run again"

Columns = Sequence[tuple[str, str]]
Tables = Mapping[tuple[str, str], Columns]


@dataclass(frozen=True)
class Request:
    """Somebody's wish to be forgotten, made at `requested_at`, UTC without a zone."""

    subscriber_id: str
    requested_at: datetime


@dataclass(frozen=True)
class Written:
    """A file of requests, for how many subscribers, and from when on they hold."""

    path: Path
    subscribers: int
    requested_at: datetime


def request_time(text: str | None) -> datetime:
    """The instant that `text` tells, UTC where it names no zone; now without a text.

    Raises InputError where it tells none.
    """
    if text is None:
        return datetime.now(UTC)
    advice = "Write it as 2026-01-31T12:00:00Z"
    try:
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InputError((Fault(f"--requested-at is {text!r}, no instant", advice),)) from error
    if at >= LATEST_AS_OF:
        what = f"--requested-at is {text!r}, and no run can be as of a later time"
        raise InputError((Fault(what, advice),))
    return at


def write_requests(raw: Path, ids: Iterable[str], *, requested_at: datetime) -> Written:
    """Writes the requests as a file of the raw folder, which the next run honours.

    Raises InputError where there is no id or no raw folder.
    """
    asked = sorted({each for line in ids if (each := line.strip())})
    if not asked:
        raise InputError((Fault("no subscriber is named", "Give one id a line"),))
    # what of a command line is no UTF-8 comes as halves of a pair of surrogates
    if any("\ud800" <= character <= "\udfff" for each in asked for character in each):
        raise InputError((Fault("an id is no text in UTF-8"),))
    if not raw.is_dir():
        advice = "Name the folder that the runs read with --raw"
        what = "is not a folder" if raw.exists() else "does not exist"
        raise InputError((Fault(f"raw folder {raw} {what}", advice),))
    at = requested_at.astimezone(UTC).replace(tzinfo=None)
    folder = raw / REQUESTS
    path = folder / f"erase-{at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.parquet"
    # hidden until it is whole: a run passes over what begins with a point
    unfinished = path.with_name(f".{path.name}")
    with private_files(), duckdb.connect(":memory:") as connection:
        try:
            folder.mkdir(exist_ok=True)
            unfinished.touch()
        except OSError as error:
            told = f"{folder} can't be written to: {error.strerror}"
            raise InputError((Fault(told, "Ask for the right to add files to it"),)) from error
        connection.execute(
            f"create table requests ({SUBSCRIBER} varchar, requested_at timestamp,"
            " recorded_at timestamp)"
        )
        connection.executemany(
            "insert into requests values (?, ?, ?)", [(each, at, at) for each in asked]
        )
        try:
            connection.execute(f"copy requests to {quoted_text(str(unfinished))} (format parquet)")
        except duckdb.Error:
            unfinished.unlink(missing_ok=True)
            raise
    unfinished.replace(path)
    return Written(path, len(asked), at)


def is_asked(warehouse: Warehouse, settings: Settings) -> bool:
    """Whether a request came that no release has honoured; dbt's logs from before it are removed.

    Call it with the views of schema `raw` laid.
    """
    with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
        requests = _requests(connection, as_of=None)
    if not _without_receipt(warehouse, settings, requests):
        return False
    # what failed may have been told there
    for path in warehouse.dbt_dir.glob("dbt.log*"):
        path.unlink()
    return True


def erase_from_kept(warehouse: Warehouse, settings: Settings, *, release_id: str) -> None:
    """Takes the erased ids out of every kept release, one by one, and writes a receipt.

    Call it with the release lock held, once `release_id` stands. Each release is made anew beside
    itself and renamed into place; killed in between, the next call does the rest. So is the build's
    file where the build was added to the last one.

    A request with a receipt is out of all that was kept then, and what was released since has
    honoured it, unless its knowledge horizon lies before the request: only that is looked through
    again. One without has been honoured by nothing that is kept, whatever time it tells.
    """
    rewritten: dict[str, Mapping[str, int]] = {}
    with duckdb.connect(str(warehouse.build_file), read_only=True) as connection:
        known = _requests(connection, as_of=bookkeeping.knowledge_horizon(connection))
        # the build has judged them: of one that it quarantined it has taken nothing out
        refused = _quarantined(connection) if known else frozenset()
        requests = tuple(each for each in known if each.subscriber_id not in refused)
        new = _without_receipt(warehouse, settings, requests)
        was_added_to = increments.has_added(connection)
        for path in sorted(warehouse.releases_dir.glob("[!.]*.duckdb")):
            if path.stem == release_id:
                continue
            horizon = _horizon(path)
            honoured = _requests(connection, as_of=horizon) if horizon else ()
            pending = tuple(
                request for request in requests if request in new or request not in honoured
            )
            if pending and (changed := _erase_from(path, pending)):
                rewritten[path.stem] = changed
    # a build as of before a request had the id again, where a kept release has it
    if rewritten or (new and was_added_to):
        _copy_build(warehouse)
    if new or rewritten:
        _write_receipt(warehouse, sorted(new.values()), rewritten, release_id=release_id)


def _requests(
    connection: duckdb.DuckDBPyConnection, *, as_of: datetime | None
) -> tuple[Request, ...]:
    """The newest request of each subscriber that is known at `as_of`; of any time if None."""
    source = quoted_name("raw", REQUESTS)
    try:
        rows = connection.execute(
            f"select {SUBSCRIBER}, arg_max(requested_at, recorded_at) from {source}"
            f" where {SUBSCRIBER} is not null and requested_at is not null"
            " and requested_at <= recorded_at + interval 5 minute"
            " and ($1 is null or (requested_at < $1 and recorded_at < $1))"
            " group by 1 order by 1",
            [as_of],
        ).fetchall()
    except duckdb.CatalogException:
        # a project without such a table
        return ()
    return tuple(Request(*row) for row in rows)


def _quarantined(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The subscribers whose request the build has quarantined."""
    try:
        rows = connection.execute(
            f"select {ROW_KEY} from {quoted_name(QUALITY, 'quarantined_rows')}"
            " where table_name = ? and row_key is not null",
            [REQUESTS],
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        # a project without such a table, or with another
        return frozenset()
    return frozenset(row_key for (row_key,) in rows)


def _copy_build(warehouse: Warehouse) -> None:
    """Copies the build into a file of its own, without what the old one has in its free blocks."""
    candidate = warehouse.build_copy
    candidate.unlink(missing_ok=True)
    with duckdb.connect(str(warehouse.build_file)) as connection:
        # or what it has still to write would be taken for the copy's
        connection.execute("checkpoint")
    with _attached(warehouse.build_file, remedy=REBUILT) as connection:
        connection.execute(f"attach {quoted_text(str(candidate))} as {quoted_name(CANDIDATE)}")
        connection.execute(f"copy from database {quoted_name(EARLIER)} to {quoted_name(CANDIDATE)}")
        connection.execute(f"detach {quoted_name(CANDIDATE)}")
    sync(candidate)
    candidate.replace(warehouse.build_file)
    sync(warehouse.root)


# --- kept releases -----------------------------------------------------------------------------


def _horizon(path: Path) -> datetime | None:
    """The knowledge horizon of the release in a file, as it tells itself; None if it does not."""
    with _attached(path) as connection:
        try:
            row = connection.execute(
                f"select as_of from {quoted_name(EARLIER, QUALITY, RELEASES)} where release_id = ?",
                [path.stem],
            ).fetchone()
        except duckdb.CatalogException:
            return None
    return row[0] if row else None


def _erase_from(path: Path, requests: tuple[Request, ...]) -> dict[str, int]:
    """Makes the release in `path` anew without the old ids; rows that told of one, by table.

    It knew nothing of the requests: whoever has come after one has the id there together with what
    was before it.
    """
    candidate = path.with_name(f".erased-{path.name}")
    candidate.unlink(missing_ok=True)
    with _attached(path) as connection:
        tables = _tables(connection)
        _lay_erased(connection, requests)
        told = {
            ".".join(table): rows
            for table, columns in tables.items()
            if (rows := _rows_that_tell(connection, table, columns))
        }
        if not told:
            return {}
        storage = f"storage_version {quoted_text(STORAGE_VERSION)}"
        connection.execute(
            f"attach {quoted_text(str(candidate))} as {quoted_name(CANDIDATE)} ({storage})"
        )
        connection.execute(
            f"copy from database {quoted_name(EARLIER)} to {quoted_name(CANDIDATE)} (schema)"
        )
        for table, columns in tables.items():
            is_personal = any(_is_id(name) for name, _ in columns)
            selected = ", ".join(
                _replaced(table, column, is_personal=is_personal)
                if kind == "VARCHAR"
                else quoted_name(column)
                for column, kind in columns
            )
            connection.execute(
                f"insert into {quoted_name(CANDIDATE, *table)}"
                f" select {selected} from {quoted_name(EARLIER, *table)}"
            )
        connection.execute(f"detach {quoted_name(CANDIDATE)}")
    sync(candidate)
    candidate.replace(path)
    sync(path.parent)
    return told


@contextmanager
def _attached(path: Path, *, remedy: str = UNERASED) -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(path.with_name(SPILL)),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        with unreadable_told(path, remedy=remedy):
            connection.execute(
                f"attach {quoted_text(str(path))} as {quoted_name(EARLIER)} (read_only)"
            )
        yield connection


def _tables(connection: duckdb.DuckDBPyConnection) -> Tables:
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type"
        " from duckdb_columns() where database_name = ? order by 1, 2, column_index",
        [EARLIER],
    ).fetchall()
    tables: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, column, kind in rows:
        tables.setdefault((schema, table), []).append((column, kind))
    return tables


def _lay_erased(connection: duckdb.DuckDBPyConnection, requests: tuple[Request, ...]) -> None:
    """Makes the table `erased` of old and new ids, and the variables of the same."""
    connection.execute("create table erased (old_id varchar, new_id varchar)")
    connection.executemany(
        "insert into erased values (?, ?)",
        [(each.subscriber_id, str(uuid.uuid4())) for each in requests],
    )
    connection.execute("set variable old_ids = (select list(old_id) from erased)")
    connection.execute(
        "set variable ids_with_colons ="
        " (select coalesce(list(old_id) filter (where contains(old_id, ':')), []) from erased)"
    )
    connection.execute(
        "set variable new_ids = (select map(list(old_id), list(new_id)) from erased)"
    )


def _rows_that_tell(
    connection: duckdb.DuckDBPyConnection, table: tuple[str, str], columns: Columns
) -> int:
    telling = [_tells(name) for name, _ in columns if _is_id(name) or _is_note(table, name)]
    if not telling:
        return 0
    ((rows,),) = connection.execute(
        f"select count(*) from {quoted_name(EARLIER, *table)} where {' or '.join(telling)}"
    ).fetchall()
    return int(rows)


def _is_id(column: str) -> bool:
    # referred_by_subscriber_id is one as well
    return column.endswith(SUBSCRIBER)


def _is_note(table: tuple[str, str], column: str) -> bool:
    return table[0] == QUALITY and column in {ROW_KEY, ROW_JSON, MESSAGE}


def _tells(column: str) -> str:
    """Whether a cell tells an erased id."""
    name = quoted_name(column)
    if column == ROW_JSON:
        values = f"json_extract_string({name}, '$.*')"
        return f"coalesce(list_has_any({values}, getvariable('old_ids')), false)"
    if column == MESSAGE:
        # an id within a longer word is another's
        return (
            f"exists (from erased where contains({name}, old_id) and regexp_matches({name},"
            r" '(^|[^\w-])' || regexp_escape(old_id) || '($|[^\w-])'))"
        )
    return f"coalesce({name} in (select old_id from erased), false)"


def _replaced(table: tuple[str, str], column: str, *, is_personal: bool) -> str:
    """What a text column is after the erasure; `is_personal` where its table is of subscribers."""
    name = quoted_name(column)
    if _is_id(column) or _is_note(table, column):
        instead = {ROW_JSON: "null", MESSAGE: quoted_text(REMOVED)}.get(
            column, f"getvariable('new_ids')[{name}]"
        )
        return f"case when {_tells(column)} then {instead} else {name} end"
    if not is_personal:
        return name
    # a key that is put together, such as churned:<subscriber>:<instant>, or somebody as a detail
    parts = f"string_split({name}, ':')"
    replaced = (
        f"array_to_string(list_transform({parts},"
        " lambda part: coalesce(getvariable('new_ids')[part], part)), ':')"
    )
    is_concerned = f"list_has_any({parts}, getvariable('old_ids'))"
    # an id may itself have colons: looked for between those of the key, one after the other
    colons = "getvariable('ids_with_colons')"
    whole = f"':' || {name} || ':'"
    with_colons = (
        # doubled, so that of two in a row each has colons of its own
        f"replace(list_reduce(list_prepend(replace({whole}, ':', '::'), {colons}),"
        " lambda cell, old_id: replace(cell, ':' || replace(old_id, ':', '::') || ':',"
        " ':' || getvariable('new_ids')[old_id] || ':')), '::', ':')[2:-2]"
    )
    has_colons = (
        f"len(list_filter({colons}, lambda old_id: contains({whole}, ':' || old_id || ':'))) > 0"
    )
    if column.endswith("_id"):
        # the ids of plans, subscriptions and titles name nobody, even where they look alike
        is_concerned += f" and len({parts}) > 1"
        has_colons += f" and not list_contains({colons}, {name})"
    return (
        f"case when coalesce({has_colons}, false) then {with_colons}"
        f" when coalesce({is_concerned}, false) then {replaced} else {name} end"
    )


# --- receipts ----------------------------------------------------------------------------------


def _without_receipt(
    warehouse: Warehouse, settings: Settings, requests: tuple[Request, ...]
) -> dict[Request, str]:
    """Those requests for which no receipt was written yet, each with its digest."""
    if not requests:
        return {}
    key = _hash_key(warehouse, settings)
    told: set[str] = set()
    for path in warehouse.receipts_dir.glob("*.json"):
        # one that is damaged tells of nothing: what it told of is done, and told, once more
        with suppress(ValueError, KeyError, TypeError):
            told.update(json.loads(path.read_text(encoding="utf-8"))["requests"])
    digests = {request: _digest(key, request) for request in requests}
    return {request: digest for request, digest in digests.items() if digest not in told}


def _digest(key: bytes, request: Request) -> str:
    text = f"{request.subscriber_id}\0{request.requested_at.isoformat()}"
    return hmac.new(key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def _hash_key(warehouse: Warehouse, settings: Settings) -> bytes:
    """The key of the digests: the environment's, else one made at the first request."""
    if settings.hash_key:
        return settings.hash_key.get_secret_value().encode()
    path = warehouse.root / ".hash_key"
    if not path.exists():
        with private_files():
            unfinished = path.with_name(".hash_key.new")
            unfinished.write_text(secrets.token_hex(KEY_BYTES), encoding="ascii")
            unfinished.replace(path)
    return path.read_bytes()


def _write_receipt(
    warehouse: Warehouse,
    requests: list[str],
    rewritten: Mapping[str, Mapping[str, int]],
    *,
    release_id: str,
) -> None:
    number = str(uuid.uuid4())
    receipt = {
        "receipt": number,
        "erased_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "release_id": release_id,
        "requests": requests,
        "rewritten_releases": rewritten,
    }
    with private_files():
        warehouse.receipts_dir.mkdir(exist_ok=True)
        path = warehouse.receipts_dir / f"{number}.json"
        unfinished = path.with_name(f".{number}")
        unfinished.write_text(json.dumps(receipt, indent=2) + "\n", encoding="utf-8")
        sync(unfinished)
        unfinished.replace(path)
