"""`tenure publish`: the release that stands, copied into a PostgreSQL database in one transaction.

Tables keep their place from release to release, and only rows that differ are deleted and written.
A reader, at whatever isolation, sees the rows of one release or of the other, waits for nobody and
holds nobody up. To exchange whole tables or schemas would be simpler, and a query that begins while
they are exchanged could find some of the old and some of the new.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import duckdb

from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, Fault, InputError, printable
from orchestration.releases.kept import Release, current_release
from orchestration.transform.manifest import RELEASED_SCHEMAS, Manifest

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

READER_ROLE = "bi_reader"

# begins the comment of each schema that is ours to replace
MARK = "Tenure release"

# what has come and is not compared with what stands yet
INCOMING = "tenure_incoming"

# any number that other programs are unlikely to hold
LOCK = 7_736_873

# a name has 63 bytes, and what begins with pg_ is PostgreSQL's own
PREFIX = re.compile(r"|(?!pg_)[A-Za-z_][A-Za-z0-9_]{0,49}")

CONNECT_SECONDS = 10
BATCH_ROWS = 100_000

TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "INTEGER": "integer",
    "TIMESTAMP": "timestamp",
    "VARCHAR": "text",
}

# what PostgreSQL's own codes mean for somebody who waits for marts
ADVICE = {
    "25006": "It is read-only: name the primary, not a replica",
    "28P01": "The password is wrong",
    "28000": "It does not let this user in",
    "3D000": "There is no such database: make it first",
    "42501": "The user lacks a right: it needs to create schemas and tables in this database",
    "53100": "The disk of the server is full: make room",
    "53300": "It has too many connections",
    "57P03": "It is starting up or shutting down: try again",
}

Note = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Destination:
    """A database, with the parts of its URL that no message may show."""

    url: str = field(repr=False)
    told: str
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "Destination":
        """The database that a URL names; InputError, without the URL in it, where it names none."""
        advice = "Write postgresql://user@host:5432/database, and the password into ~/.pgpass"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InputError((Fault("this is no URL of a database", advice),)) from None
        if parts.scheme not in {"postgresql", "postgres"}:
            raise InputError((Fault("this is no URL of a PostgreSQL database", advice),))
        options = dict(parse_qsl(parts.query))
        options.setdefault("connect_timeout", str(CONNECT_SECONDS))
        options.setdefault("application_name", "tenure publish")
        secrets = {
            text
            for given in (parts.password, options.get("password"))
            if given
            for text in (given, unquote(given), quote(unquote(given), safe=""))
        }
        host = options.get("host") or parts.hostname or "the local server"
        return cls(
            url=urlunsplit(parts._replace(query=urlencode(options, quote_via=quote))),
            told=printable(f"{host}{f':{port}' if port else ''}{parts.path}"),
            secrets=tuple(sorted(secrets, key=len, reverse=True)),
        )

    def scrubbed(self, message: str) -> str:
        """A message of the driver, without the password in any spelling."""
        for secret in self.secrets:
            message = message.replace(secret, "***")
        return message


@dataclass(frozen=True)
class Column:
    """A column of a released table, as PostgreSQL is to have it."""

    name: str
    kind: str
    comment: str | None


@dataclass(frozen=True)
class Table:
    """A released table: key columns are none where nothing is known of a key."""

    schema: str
    name: str
    comment: str | None
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """Its name as SQL text."""
        return quoted_name(self.schema, self.name)


@dataclass(frozen=True)
class Published:
    """What stands in the database now; `uncleaned` says why its tables could not be cleaned."""

    release: Release
    told: str
    tables: int
    rows: int
    uncleaned: str | None = None


def publish(
    place: Warehouse, url: str, *, prefix: str = "", note: Note = lambda *_: None
) -> Published:
    """Copies the release that stands into the database of a URL and returns what stands there.

    The schemas are `marts` and `quality`, with the prefix before each; the role `bi_reader` can
    read them. Raises InputError where there is no release, URL or prefix are none or a schema is
    somebody else's, and BuildError where the database is away, full or read-only; then it is
    unchanged.
    """
    if not PREFIX.fullmatch(prefix):
        what = f"--prefix is {prefix!r}, with which no schema's name may begin"
        advice = "Write letters, digits and underscores, 50 at most, and begin with no digit or pg_"
        raise InputError((Fault(what, advice),))
    place.check_is_there()
    destination = Destination.parse(url)
    keys = _keys(place)
    with (
        _standing_release(place) as (current, release),
        _connected(destination) as connection,
        connection.cursor() as cursor,
    ):
        tables = _tables(release, keys, prefix)
        _prepare(cursor, prefix)
        standing = _standing(cursor, prefix)
        _drop_others(cursor, tables, standing)
        rows = 0
        for at, table in enumerate(tables):
            note(at, len(tables), f"{table.schema}.{table.name}")
            rows += _write(cursor, release, table, standing)
        _describe(cursor, tables, prefix, current)
        _let_read(cursor, prefix)
        connection.commit()
        uncleaned = _clean(connection, cursor, tables, destination)
    return Published(current, destination.told, len(tables), rows, uncleaned)


@contextmanager
def _standing_release(place: Warehouse) -> Iterator[tuple[Release, duckdb.DuckDBPyConnection]]:
    """The release that stands, and a connection to it, whatever comes to stand meanwhile."""
    with place.release_lock():
        current = current_release(place)
        if current is None:
            what = f"there is no release in {place.root} yet"
            raise InputError((Fault(what, "Make one with tenure run"),))
        release = duckdb.connect(str(place.release_file), read_only=True)
    with release:
        yield current, release


@contextmanager
def _connected(destination: Destination) -> Iterator["Connection"]:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise InputError(
            (
                Fault(
                    "the driver of PostgreSQL is not installed",
                    "`make build` in the checkout installs it, or pip install -e '.[postgres]'",
                ),
            )
        ) from error
    try:
        with dbapi.connect(destination.url, autocommit=False) as connection:
            yield connection
    except dbapi.Error as error:
        # the driver's own text may hold the URL, and what it was raised from too
        raise BuildError(_as_told(error, destination)) from None


def _as_told(error: Exception, destination: Destination) -> str:
    code = getattr(error, "sqlstate", None)
    advice = ADVICE.get(code or "")
    return (
        f"PostgreSQL at {destination.told} did not take the release: {_seen(error, destination)}"
        f"{f'. {advice}' if advice else ''}. What stood there still stands."
    )


def _seen(error: Exception, destination: Destination) -> str:
    lines = [line.strip() for line in destination.scrubbed(str(error)).splitlines() if line.strip()]
    return printable(" ".join(lines[:3]))


def _keys(place: Warehouse) -> Mapping[str, tuple[str, ...]]:
    """The keys of the released tables by schema and name, as the project that built them tests."""
    path = place.dbt_dir / "manifest.json"
    return Manifest.read(path).tested_keys() if path.exists() else {}


def _tables(
    release: duckdb.DuckDBPyConnection, keys: Mapping[str, tuple[str, ...]], prefix: str
) -> tuple[Table, ...]:
    comments = {
        (schema, table): comment
        for schema, table, comment in release.execute(
            "select schema_name, table_name, comment from duckdb_tables()"
            " where schema_name in (select unnest(?)) order by schema_name, table_name",
            [list(RELEASED_SCHEMAS)],
        ).fetchall()
    }
    return tuple(
        Table(
            schema=prefix + schema,
            name=table,
            comment=comment,
            columns=_columns(release, schema, table),
            key=keys.get(f"{schema}.{table}", ()),
        )
        for (schema, table), comment in comments.items()
    )


def _columns(release: duckdb.DuckDBPyConnection, schema: str, table: str) -> tuple[Column, ...]:
    rows = release.execute(
        "select column_name, data_type, comment from duckdb_columns()"
        " where schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    ).fetchall()
    return tuple(Column(name, _kind(kind), comment) for name, kind, comment in rows)


def _kind(kind: str) -> str:
    # money in exact decimals, everything that is not foreseen as text
    decimal = re.fullmatch(r"DECIMAL(\(\d+,\d+\))", kind)
    return f"numeric{decimal.group(1)}" if decimal else TYPES.get(kind, "text")


def _prepare(cursor: "Cursor", prefix: str) -> None:
    """Takes the turn of this publisher and makes what is missing: role and schemas."""
    _rows(cursor, f"select pg_advisory_xact_lock({LOCK})")
    cursor.execute("set local work_mem = '128MB'")
    role = _rows(cursor, f"select 1 from pg_roles where rolname = {quoted_text(READER_ROLE)}")
    if not role:
        cursor.execute(f"create role {quoted_name(READER_ROLE)} nologin")
    foreign = []
    for schema in RELEASED_SCHEMAS:
        name = prefix + schema
        found = _rows(
            cursor,
            "select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace"
            f" where nspname = {quoted_text(name)}",
        )
        if not found:
            cursor.execute(f"create schema {quoted_name(name)}")
        elif not found[0][0].startswith(MARK):
            foreign.append(name)
    if foreign:
        raise InputError(
            (
                Fault(
                    f"the database has a schema {' and a schema '.join(foreign)} of somebody else",
                    "Publish with --prefix, or into another database",
                ),
            )
        )


def _standing(cursor: "Cursor", prefix: str) -> Mapping[tuple[str, str], str]:
    """The tables that are in the schemas, with the shape of each: columns, types and key."""
    schemas = ", ".join(quoted_text(prefix + schema) for schema in RELEASED_SCHEMAS)
    rows = _rows(
        cursor,
        "select n.nspname, c.relname,"
        " (select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod),"
        "    ', ' order by a.attnum)"
        "  from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),"
        " coalesce((select pg_get_constraintdef(k.oid) from pg_constraint k"
        "  where k.conrelid = c.oid and k.contype = 'p'), '')"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        f" where c.relkind = 'r' and n.nspname in ({schemas})",
    )
    return {(schema, table): f"{columns} {key}" for schema, table, columns, key in rows}


def _drop_others(
    cursor: "Cursor", tables: Sequence[Table], standing: Mapping[tuple[str, str], str]
) -> None:
    """Drops tables that are in no release any more."""
    known = {(table.schema, table.name) for table in tables}
    for other in sorted(set(standing) - known):
        cursor.execute(f"drop table {quoted_name(*other)}")


def _write(
    cursor: "Cursor",
    release: duckdb.DuckDBPyConnection,
    table: Table,
    standing: Mapping[tuple[str, str], str],
) -> int:
    """Writes the rows of a table anew; returns how many."""
    shape = standing.get((table.schema, table.name))
    if shape is not None and shape != _shape(cursor, table):
        # a table of another version: only now a reader may have to wait
        cursor.execute(f"drop table {table.quoted}")
        shape = None
    if shape is None:
        definitions = ", ".join(f"{quoted_name(each.name)} {each.kind}" for each in table.columns)
        cursor.execute(f"create table {table.quoted} ({definitions})")
        rows = _copy(cursor, release, table, into=table.name)
        if table.key:
            key = ", ".join(quoted_name(name) for name in table.key)
            cursor.execute(f"alter table {table.quoted} add primary key ({key})")
        return rows
    if not table.key:
        cursor.execute(f"delete from {table.quoted}")
        return _copy(cursor, release, table, into=table.name)
    return _exchange(cursor, release, table)


def _exchange(cursor: "Cursor", release: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Deletes the rows that are not so any more and writes those that are new or different."""
    cursor.execute(f"create temp table {INCOMING} (like {table.quoted}) on commit drop")
    rows = _copy(cursor, release, table, into=INCOMING, is_temporary=True)
    cursor.execute(f"analyze {INCOMING}")
    same_key = " and ".join(
        f"new.{quoted_name(name)} = old.{quoted_name(name)}" for name in table.key
    )
    equal = " and ".join(
        f"new.{quoted_name(each.name)} is not distinct from old.{quoted_name(each.name)}"
        for each in table.columns
        if each.name not in table.key
    )
    cursor.execute(
        f"delete from {table.quoted} as old where not exists (select 1 from {INCOMING} as new"
        f" where {same_key}{f' and {equal}' if equal else ''})"
    )
    cursor.execute(
        f"insert into {table.quoted} select new.* from {INCOMING} as new where not exists"
        f" (select 1 from {table.quoted} as old where {same_key})"
    )
    cursor.execute(f"drop table {INCOMING}")
    return rows


def _shape(cursor: "Cursor", table: Table) -> str:
    idents = _rows(
        cursor,
        "select " + ", ".join(f"quote_ident({quoted_text(each.name)})" for each in table.columns),
    )[0]
    named = dict(zip((each.name for each in table.columns), idents, strict=True))
    kinds = {"timestamp": "timestamp without time zone"}
    columns = ", ".join(
        f"{named[each.name]} {kinds.get(each.kind, each.kind)}" for each in table.columns
    )
    key = f"PRIMARY KEY ({', '.join(named[name] for name in table.key)})" if table.key else ""
    return f"{columns} {key}"


def _copy(
    cursor: "Cursor",
    release: duckdb.DuckDBPyConnection,
    table: Table,
    *,
    into: str,
    is_temporary: bool = False,
) -> int:
    source = quoted_name(_released_schema(table), table.name)
    selected = ", ".join(_selected(each) for each in table.columns)
    reader = release.execute(f"select {selected} from {source}").to_arrow_reader(BATCH_ROWS)
    schema = None if is_temporary else table.schema
    return int(
        cursor.adbc_ingest(
            into, reader, mode="append", db_schema_name=schema, temporary=is_temporary
        )
    )


def _selected(column: Column) -> str:
    name = quoted_name(column.name)
    if column.kind != "text":
        return name
    # a text with a zero byte in it is none in PostgreSQL
    return f"replace(cast({name} as varchar), chr(0), '') as {name}"


def _released_schema(table: Table) -> str:
    return next(schema for schema in RELEASED_SCHEMAS if table.schema.endswith(schema))


def _describe(cursor: "Cursor", tables: Sequence[Table], prefix: str, release: Release) -> None:
    """Writes the comments that are not there yet, and of which release the schemas are."""
    for schema in RELEASED_SCHEMAS:
        told = f"{MARK} {release.release_id}, as of {release.as_of:%Y-%m-%d %H:%M:%S} UTC."
        cursor.execute(f"comment on schema {quoted_name(prefix + schema)} is {quoted_text(told)}")
    schemas = ", ".join(quoted_text(prefix + schema) for schema in RELEASED_SCHEMAS)
    found = _rows(
        cursor,
        "select n.nspname, c.relname, coalesce(a.attname, ''), d.description"
        " from pg_description d join pg_class c on c.oid = d.objoid"
        " join pg_namespace n on n.oid = c.relnamespace"
        " left join pg_attribute a"
        " on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0"
        f" where d.classoid = 'pg_class'::regclass and n.nspname in ({schemas})",
    )
    standing = {tuple(row[:3]): row[3] for row in found}
    for table in tables:
        if table.comment and standing.get((table.schema, table.name, "")) != table.comment:
            cursor.execute(f"comment on table {table.quoted} is {quoted_text(table.comment)}")
        for each in table.columns:
            if each.comment and standing.get((table.schema, table.name, each.name)) != each.comment:
                column = f"{table.quoted}.{quoted_name(each.name)}"
                cursor.execute(f"comment on column {column} is {quoted_text(each.comment)}")


def _let_read(cursor: "Cursor", prefix: str) -> None:
    role = quoted_name(READER_ROLE)
    for schema in RELEASED_SCHEMAS:
        name = quoted_name(prefix + schema)
        cursor.execute(f"revoke all on schema {name} from public")
        cursor.execute(f"grant usage on schema {name} to {role}")
        cursor.execute(f"grant select on all tables in schema {name} to {role}")


def _clean(
    connection: "Connection", cursor: "Cursor", tables: Sequence[Table], destination: Destination
) -> str | None:
    """Frees the place of the rows that were deleted, and counts what the planner wants counted.

    Returns why it could not: the release stands by then, and the server does it in its own time.
    """
    from adbc_driver_postgresql import dbapi

    try:
        connection.adbc_connection.set_autocommit(True)
        for table in tables:
            cursor.execute(f"vacuum (analyze) {table.quoted}")
    except dbapi.Error as error:
        return _seen(error, destination)
    return None


def _rows(cursor: "Cursor", query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return cursor.fetchall()
