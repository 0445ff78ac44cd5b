"""`tenure publish` on a PostgreSQL that the tests start themselves.

What needs the server is left out where none is found; Debian's package `postgresql` has one.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, InputError
from orchestration.releases import postgres
from orchestration.releases.candidate import RELEASE_COLUMNS
from orchestration.releases.postgres import Destination

# with signs that mean something in a URL
PASSWORD = "pa%ss w/ö:rd"  # noqa: S105
IN_URL = "pa%25ss%20w%2F%C3%B6%3Ard"


def server_programs() -> Path | None:
    """The folder of the newest PostgreSQL server."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    return max(folders, key=lambda path: (len(path.parent.name), path.parent.name), default=None)


MOUNT, UMOUNT = (shutil.which(name) or "" for name in ("mount", "umount"))
PROGRAMS = server_programs()
needs_server = pytest.mark.skipif(
    PROGRAMS is None or find_spec("adbc_driver_postgresql") is None,
    reason="no PostgreSQL server is found, or not its driver: install postgresql, then make build",
)


@dataclass(frozen=True)
class Server:
    """A server of the tests' own, with a database for each of them."""

    port: int

    def url(self, database: str = "bi", *, user: str = "owner", password: str = IN_URL) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def run(
        self, *statements: str, database: str = "bi", user: str = "owner"
    ) -> list[tuple[Any, ...]]:
        """The rows of the last statement."""
        from adbc_driver_postgresql import dbapi

        with (
            dbapi.connect(self.url(database, user=user), autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def as_nobody(folder: Path) -> list[str]:
    """What runs a program as somebody else, since the server refuses to be root's."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody")
    return [
        "setpriv",
        "--reuid=nobody",
        "--regid=nogroup",
        "--clear-groups",
        "env",
        f"HOME={folder}",
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    assert PROGRAMS
    # not below pytest's own folder, which is nobody else's
    with tempfile.TemporaryDirectory(prefix="postgres-") as made, socket.socket() as free:
        folder = Path(made)
        folder.chmod(0o711)
        home = folder / "home"
        home.mkdir()
        become = as_nobody(home)
        (home / "password").write_text(PASSWORD, encoding="utf-8")
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
        free.close()
        data = str(home / "data")

        def call(program: str, *arguments: str) -> None:
            subprocess.run(
                [*become, str(PROGRAMS / program), *arguments],
                check=True, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        call("initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "-E", "UTF8",
             "--pwfile", str(home / "password"), "--no-sync")  # fmt: skip
        options = f"-p {port} -k {home} -c fsync=off -c listen_addresses=127.0.0.1"
        call("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(home / "log"), "start")
        try:
            yield Server(port)
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture
def database(server: Server) -> Iterator[Server]:
    server.run("create database bi", database="postgres")
    yield server
    server.run("drop database bi with (force)", database="postgres")


# rows of id, amount and note, or a query of them
Things = Sequence[tuple[str, str | None, str | None]] | str
Release = Callable[..., Warehouse]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Writes a release of two marts: things by id, and one row that says which release it is."""

    def write(things: Things, *, number: int = 1, more: str = "") -> Warehouse:
        place = Warehouse(tmp_path / "warehouse")
        place.prepare()
        place.release_file.unlink(missing_ok=True)
        columns = ", ".join(f"{name} {kind}" for name, (kind, _) in RELEASE_COLUMNS.items())
        with duckdb.connect(str(place.release_file)) as connection:
            connection.execute("create schema marts; create schema quality")
            connection.execute(f"create table quality.releases ({columns})")
            connection.execute(
                "insert into quality.releases values (?, timestamp '2026-05-10', timestamp"
                " '2026-05-09', 'hash', 1, 1, '0.1.0', '{}', '{}')",
                [f"2026051{number}T000000Z"],
            )
            connection.execute(
                "create table marts.things"
                f" (id varchar, amount decimal(18, 4), note varchar, release integer{more})"
            )
            connection.execute("comment on table marts.things is 'One row per thing: it''s one.'")
            connection.execute("comment on column marts.things.amount is 'Price, in USD.'")
            if isinstance(things, str):
                connection.execute(
                    f"insert into marts.things (id, amount, note, release) select *, {number}"
                    f" from ({things})"
                )
            for thing in things if not isinstance(things, str) else ():
                connection.execute(
                    "insert into marts.things (id, amount, note, release) values (?, ?, ?, ?)",
                    [*thing, number],
                )
            connection.execute(f"create table marts.latest as select {number} as release")
        write_manifest(place)
        return place

    return write


def write_manifest(place: Warehouse) -> None:
    model = {
        "resource_type": "model",
        "unique_id": "model.p.things",
        "schema": "marts",
        "alias": "things",
        "name": "things",
        "description": "",
        "columns": {},
        "config": {"materialized": "table"},
    }
    test = {
        "resource_type": "test",
        "attached_node": "model.p.things",
        "test_metadata": {"name": "integrity", "kwargs": {"primary_key": ["id"]}},
    }
    content = {"nodes": {"model.p.things": model, "test.p.key": test}, "sources": {}}
    (place.dbt_dir / "manifest.json").write_text(json.dumps(content), encoding="utf-8")


THINGS = [("a", "1.5000", "x"), ("b", "-2.2500", None), ("c", None, "zero \0 byte, 'quoted'")]


@needs_server
def test_the_release_stands_in_postgresql(database: Server, release: Release) -> None:
    published = postgres.publish(release(THINGS), database.url())
    assert (published.tables, published.rows) == (3, 5)
    assert database.run("select id, cast(amount as text), note from marts.things order by id") == [
        ("a", "1.5000", "x"),
        ("b", "-2.2500", None),
        ("c", None, "zero  byte, 'quoted'"),
    ]
    kinds = database.run(
        "select column_name, data_type, numeric_precision, numeric_scale"
        " from information_schema.columns where table_name = 'things' order by ordinal_position"
    )
    assert kinds == [
        ("id", "text", None, None),
        ("amount", "numeric", 18, 4),
        ("note", "text", None, None),
        ("release", "integer", 32, 0),
    ]
    assert database.run(
        "select obj_description('marts.things'::regclass, 'pg_class'),"
        " col_description('marts.things'::regclass, 2),"
        " obj_description('marts'::regnamespace, 'pg_namespace')"
    ) == [
        (
            "One row per thing: it's one.",
            "Price, in USD.",
            "Tenure release 20260511T000000Z, as of 2026-05-09 00:00:00 UTC.",
        )
    ]
    assert database.run(
        "select pg_get_constraintdef(oid) from pg_constraint"
        " where conrelid = 'marts.things'::regclass"
    ) == [("PRIMARY KEY (id)",)]


@needs_server
def test_the_reader_reads_the_marts_and_nothing_else(database: Server, release: Release) -> None:
    database.run("create table public.salaries as select 1 as amount")
    postgres.publish(release(THINGS), database.url())
    as_reader = "set role bi_reader"
    assert database.run(as_reader, "select count(*) from marts.things") == [(3,)]
    assert database.run(as_reader, "select count(*) from quality.releases") == [(1,)]
    for refused in (
        "select * from public.salaries",
        "delete from marts.things",
        "insert into marts.latest values (9)",
        "truncate marts.latest",
        "create table marts.mine (id int)",
        "create table public.mine (id int)",
        "create schema mine",
        "drop table marts.things",
    ):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            database.run(as_reader, refused)
    assert database.run(
        "select rolsuper, rolcreatedb, rolcreaterole, rolcanlogin from pg_roles"
        " where rolname = 'bi_reader'"
    ) == [(False, False, False, False)]


@needs_server
def test_a_later_release_takes_its_place(database: Server, release: Release) -> None:
    postgres.publish(release(THINGS), database.url())
    before = database.run("select 'marts.things'::regclass::oid::text")
    changed = [("a", "1.5000", "x"), ("b", "9.0000", None), ("d", None, None)]
    postgres.publish(release(changed, number=2), database.url())
    assert database.run(
        "select id, cast(amount as text), note, release from marts.things order by id"
    ) == [("a", "1.5000", "x", 2), ("b", "9.0000", None, 2), ("d", None, None, 2)]
    assert database.run("select * from marts.latest") == [(2,)]
    assert database.run("select 'marts.things'::regclass::oid::text") == before
    # the same again changes nothing
    postgres.publish(release(changed, number=2), database.url())
    assert database.run("select count(*) from marts.things") == [(3,)]


@needs_server
def test_a_mart_of_another_shape_is_made_anew(database: Server, release: Release) -> None:
    postgres.publish(release(THINGS), database.url())
    postgres.publish(release(THINGS, number=2, more=", added_at timestamp"), database.url())
    assert database.run(
        "set role bi_reader", "select count(added_at), count(*) from marts.things"
    ) == [(0, 3)]
    place = release(THINGS, number=3)
    with duckdb.connect(str(place.release_file)) as connection:
        connection.execute("drop table marts.latest")
    postgres.publish(place, database.url())
    assert database.run("select to_regclass('marts.latest') is null") == [(True,)]


@needs_server
def test_no_reader_sees_two_releases_at_once(database: Server, release: Release) -> None:
    from adbc_driver_postgresql import dbapi

    many = "select 't' || n, 1, 'x' from range(2000) as numbers(n)"
    postgres.publish(release(many), database.url())
    seen: set[tuple[int, int, int]] = set()
    is_over = threading.Event()
    query = (
        "select min(things.release), max(things.release), max(latest.release)"
        " from marts.things cross join marts.latest"
    )

    def look() -> None:
        while not is_over.is_set():
            seen.add(database.run(query)[0])

    with dbapi.connect(database.url(), autocommit=True) as kept, kept.cursor() as cursor:
        cursor.execute("begin isolation level repeatable read")
        cursor.execute("select min(release), max(release) from marts.things")
        assert cursor.fetchall() == [(1, 1)]
        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            for number in range(2, 6):
                postgres.publish(release(many, number=number), database.url())
        finally:
            is_over.set()
            for reader in readers:
                reader.join()
        # who began with the first release goes on with it, in every table
        cursor.execute("select release from marts.latest")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("rollback")
    assert {each for each in seen if len(set(each)) != 1} == set()
    assert len(seen) > 1
    assert database.run(query) == [(5, 5, 5)]


@needs_server
def test_what_cannot_be_vacuumed_is_published_all_the_same(
    database: Server, release: Release
) -> None:
    from adbc_driver_postgresql import dbapi

    postgres.publish(release(THINGS), database.url())
    database.run("alter database bi set lock_timeout = '200ms'", database="postgres")
    try:
        with dbapi.connect(database.url()) as other, other.cursor() as cursor:
            # a reader is let by, and so is whoever writes
            cursor.execute("lock table marts.things in share update exclusive mode")
            published = postgres.publish(release(THINGS, number=2), database.url())
    finally:
        database.run("alter database bi reset lock_timeout", database="postgres")
    assert published.uncleaned is not None
    assert "lock timeout" in published.uncleaned
    assert database.run("select * from marts.latest") == [(2,)]


def unharmed(database: Server) -> None:
    assert database.run("select release from marts.latest") == [(1,)]
    assert database.run("select count(*) from marts.things") == [(3,)]


@needs_server
def test_a_database_that_is_read_only(database: Server, release: Release) -> None:
    postgres.publish(release(THINGS), database.url())
    database.run("alter database bi set default_transaction_read_only = on")
    with pytest.raises(BuildError, match=r"read-only.*name the primary") as raised:
        postgres.publish(release(THINGS, number=2), database.url())
    assert "What stood there still stands" in str(raised.value)
    unharmed(database)


@needs_server
def test_a_disk_that_is_full(database: Server, release: Release, tmp_path: Path) -> None:
    if not MOUNT or not UMOUNT or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    postgres.publish(release(THINGS), database.url())
    with tempfile.TemporaryDirectory(prefix="small-") as made:
        made_small = subprocess.run(
            [MOUNT, "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", made],
            check=False, capture_output=True,
        )  # fmt: skip
        if made_small.returncode:
            pytest.skip("a small disk can't be mounted here")
        try:
            place = Path(made) / "space"
            place.mkdir()
            shutil.chown(place, "nobody")
            database.run(f"create tablespace small location '{place}'")
            database.run("alter database bi set default_tablespace = small")
            database.run("alter database bi set temp_tablespaces = small")
            # what can't be made smaller: 16 MB of digests
            digests = " || ".join(f"md5(n || '{at}')" for at in range(20))
            many = f"select 't' || n, 1, {digests} from range(25000) as numbers(n)"
            with pytest.raises(BuildError, match="disk of the server is full"):
                postgres.publish(release(many, number=2), database.url())
            database.run("alter database bi reset default_tablespace")
            database.run("alter database bi reset temp_tablespaces")
            unharmed(database)
            database.run("drop tablespace small")
        finally:
            subprocess.run([UMOUNT, "--lazy", made], check=True)


@needs_server
@pytest.mark.parametrize(
    ("given", "told"),
    [("wrong-one", "password authentication failed"), ("se%cret", "invalid percent-encoded")],
)
def test_a_wrong_password_is_told_without_it(
    database: Server, release: Release, given: str, told: str
) -> None:
    with pytest.raises(BuildError, match=told) as raised:
        postgres.publish(release(THINGS), database.url(password=given))
    assert given not in f"{raised.value!r}{raised.value.__cause__}"
    assert raised.value.__suppress_context__


@needs_server
def test_a_user_without_rights_is_told_so(database: Server, release: Release) -> None:
    database.run(f"create role weak login password '{PASSWORD}'")
    try:
        with pytest.raises(BuildError, match=r"permission denied.*lacks a right"):
            postgres.publish(release(THINGS), database.url(user="weak"))
    finally:
        database.run("drop role weak")


@needs_server
def test_a_schema_of_somebody_else_is_left_alone(database: Server, release: Release) -> None:
    database.run("create schema marts", "create table marts.theirs as select 1 as one")
    with pytest.raises(InputError, match=r"schema marts of somebody else.*--prefix"):
        postgres.publish(release(THINGS), database.url())
    assert database.run("select one from marts.theirs") == [(1,)]
    assert database.run("select to_regnamespace('quality') is null") == [(True,)]
    postgres.publish(release(THINGS), database.url(), prefix="tenure_")
    assert database.run("set role bi_reader", "select count(*) from tenure_marts.things") == [(3,)]


@pytest.mark.skipif(find_spec("adbc_driver_postgresql") is None, reason="the driver is not here")
def test_a_server_that_is_away(release: Release) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        BuildError, match=rf"PostgreSQL at 127\.0\.0\.1:{port}/bi did not take"
    ) as raised:
        postgres.publish(release(THINGS), f"postgresql://me:hush-hush@127.0.0.1:{port}/bi")
    assert "hush-hush" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:hush@host/bi",
        "host=localhost password=hush",
        "postgresql://me:hush@host:notaport/bi",
        "postgresql://me:hush@[::1/bi",
    ],
)
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(InputError) as raised:
        Destination.parse(url)
    assert "hush" not in str(raised.value)


def test_no_message_and_no_repr_holds_the_password() -> None:
    url = f"postgresql://me:{IN_URL}@db.example:5433/bi?sslmode=require&password=other"
    destination = Destination.parse(url)
    assert destination.told == "db.example:5433/bi"
    for secret in (IN_URL, PASSWORD, "other"):
        assert secret not in repr(destination)
        assert secret not in destination.scrubbed(f"FATAL: {secret} is wrong in {url}")
    assert "sslmode=require" in destination.url
    assert "connect_timeout=10" in destination.url


def test_without_a_release_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no release"):
        postgres.publish(Warehouse(tmp_path), "postgresql://host/bi")


@pytest.mark.parametrize("prefix", ["it's_", 'a"b', "1_", "pg_tenure_", "a" * 51, "a b"])
def test_what_begins_no_schemas_name_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(InputError, match="no schema's name may begin"):
        postgres.publish(Warehouse(tmp_path), "postgresql://host/bi", prefix=prefix)
