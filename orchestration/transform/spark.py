"""Apache Spark in the place of DuckDB: what a run does with it besides dbt.

dbt builds every model on Spark, whose tables are folders of Parquet. All that is small is done
where it always is, by DuckDB, which reads those folders as they are: the gate, the fits, the audit,
the release. So Spark and this process have to see the warehouse's folder under one path.
"""

import os
import re
import shutil
import socket
import subprocess
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import duckdb
import yaml

from orchestration.database import bookkeeping
from orchestration.database.sql_text import exact_path, quoted_name, quoted_text
from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, Fault
from orchestration.raw import landing
from orchestration.raw.contract import SOURCE_NAME, RawContract
from orchestration.raw.folder import RawFolder
from orchestration.raw.parquet_files import ZONED_TIMESTAMP_TYPE
from orchestration.settings import environment
from orchestration.transform.manifest import (
    ARRIVALS_SOURCE,
    BASIS_SOURCE,
    FITTED_SOURCE,
    FittedTable,
    KeptTable,
    Manifest,
)

if TYPE_CHECKING:
    from dbt.adapters.spark.connections import SparkConnectionWrapper

TYPE = "spark"

OLDEST_JAVA = 17
JAVA_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
JAVA_ADVICE = (
    f"Install Java {OLDEST_JAVA} or 21, such as the package openjdk-17-jre-headless, and name its"
    " folder in JAVA_HOME, or run without --target"
)

ANSWER_SECONDS = 10
STANDS = "Nothing was released and the last release stands."

# where Spark says that it lost what computed or kept a part, and could not make up for it
LOST = re.compile(
    r"ExecutorLostFailure|Could not recover|FetchFailed|SparkContext (was|has been) shut ?down"
    r"|stopped SparkContext|Connection (refused|reset)|TTransportException|Py4JNetworkError"
)

# targets that the project is only parsed or compiled for: nothing is built there
CHECKED_ALONE = frozenset({"lint", "spark_parse"})

# the folder of what an increment adds
ARRIVED = "arrived_files"

# in the catalog beside what is kept of a build: by what that build is known again
MARKS = f"{BASIS_SOURCE}.marks"

# a table of the build that this process reads as well
Relation = tuple[str, str]


def targets(project_dir: Path) -> Mapping[str, Mapping[str, Any]]:
    """The targets of the profile, as it is written."""
    profiles = yaml.safe_load((project_dir / "profiles.yml").read_text(encoding="utf-8"))
    (profile,) = (each for name, each in profiles.items() if name != "config")
    outputs: Mapping[str, Mapping[str, Any]] = profile["outputs"]
    return outputs


def check_target(project_dir: Path, target: str) -> tuple[Fault, ...]:
    """What keeps a run from using a target at all, before anything is loaded: none if nothing."""
    known = {name: each for name, each in targets(project_dir).items() if name not in CHECKED_ALONE}
    if target not in known:
        what = f"there is no target {target!r} in profiles.yml to build on"
        return (Fault(what, f"Name one of these with --target: {', '.join(known)}"),)
    if known[target]["type"] != TYPE:
        return ()
    if not (find_spec("dbt.adapters.spark") and find_spec("pyspark")):
        advice = (
            "Install it with the extra: `make spark` in the checkout, or pip install -e '.[spark]'"
        )
        return (Fault("PySpark and dbt-spark are not installed", advice),)
    fault = java_fault() if known[target]["method"] == "session" else None
    return (fault,) if fault else ()


def java_fault() -> Fault | None:
    """What is wrong with the Java that Spark would start here; None if it is fit."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    if not java:
        return Fault("Spark needs Java and there is none", JAVA_ADVICE)
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return Fault(f"Spark needs Java and {java} does not run", JAVA_ADVICE)
    found = JAVA_VERSION.search(told)
    if not found or int(found.group(1)) < OLDEST_JAVA:
        version = found.group(1) if found else "of an unknown version"
        return Fault(f"Spark needs Java {OLDEST_JAVA} and {java} is {version}", JAVA_ADVICE)
    return None


def without_answer(address: str, error: OSError) -> BuildError:
    """That nobody listens where Spark should."""
    return BuildError(
        f"Spark at {address} does not answer: {error.strerror or error}. {STANDS}"
        " Look whether it runs and can be reached from here, or mend the address: TENURE_SPARK_HOST"
        " and TENURE_SPARK_PORT of a server, TENURE_SPARK_MASTER of a master."
    )


def told_by_spark(message: str) -> str | None:
    """What to say of an error in which Spark lost executors or itself; None of any other."""
    if not LOST.search(message):
        return None
    return (
        f"Spark lost what it computed with and could not make up for it. {STANDS} Run again; if it"
        " happens anew, give executors more memory or Spark more partitions, and look into the log"
        " of the executors."
    )


@dataclass(frozen=True)
class Spark:
    """The Spark of a target, for statements beside those of dbt."""

    project_dir: Path
    target: str
    place: Warehouse

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The target as the profile has it, with the environment's values in it."""
        from dbt.config.profile import Profile, read_profile
        from dbt.config.renderer import ProfileRenderer
        from dbt_common.context import set_invocation_context

        profiles = read_profile(str(self.project_dir))
        ((name, profile),) = ((n, each) for n, each in profiles.items() if n != "config")
        with environment(TENURE_WAREHOUSE=str(self.place.root)):
            set_invocation_context(dict(os.environ))
            _, rendered = Profile.render_profile(profile, name, self.target, ProfileRenderer({}))
        return {key: value for key, value in rendered.items() if key not in {"type", "threads"}}

    def start(self) -> None:
        """Sees that Spark is there, and starts it where it is to run from this process.

        Raises BuildError where nobody answers or it does not start.
        """
        settings = self.settings
        if settings["method"] != "session":
            _listens(settings["host"], settings["port"])
            return
        parameters = settings["server_side_parameters"]
        master = urlparse(parameters["spark.master"])
        if master.scheme == "spark":
            _listens(master.hostname or "", master.port or 7077)
        self._start_session(parameters)

    def _start_session(self, parameters: Mapping[str, str]) -> None:
        from py4j.protocol import Py4JError
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
        from pyspark.java_gateway import launch_gateway

        if SparkContext._active_spark_context:  # noqa: SLF001
            return
        # of each release of pandas that is newer than the one it was tried with
        warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
        conf = SparkConf().setAll(list(parameters.items()))
        # Spark's words are for whoever looks into them, not for the terminal, and of one run
        with (self.place.dbt_dir / "spark.log").open("wb") as log:
            try:
                gateway = launch_gateway(conf, popen_kwargs={"stdout": log, "stderr": log})
                SparkContext(conf=conf, gateway=gateway)
            except (PySparkException, Py4JError) as error:
                raise BuildError(
                    f"Spark could not be started: {error}. {STANDS} {log.name} says why."
                ) from error

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement returns; the engine's errors are raised as dbt's."""
        with self._cursor() as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall() or ()]

    @contextmanager
    def _cursor(self) -> Iterator["SparkConnectionWrapper"]:
        from dbt.adapters.contracts.connection import Connection
        from dbt.adapters.spark.connections import SparkConnectionManager, SparkCredentials
        from dbt_common.context import set_invocation_context

        set_invocation_context(dict(os.environ))
        credentials = SparkCredentials.from_dict(dict(self.settings))
        opened = SparkConnectionManager.open(
            Connection(type=TYPE, name="tenure", credentials=credentials)  # type: ignore[arg-type]
        )
        wrapper: SparkConnectionWrapper = opened.handle
        try:
            yield wrapper.cursor()
        finally:
            wrapper.close()

    def version(self) -> str:
        """What Spark calls itself."""
        ((version,),) = self.rows("select version()")
        return f"Spark {version}"

    def drop_tables(self, manifest: Manifest) -> None:
        """Drops every table of the build, with its files: there is an id in them to be erased."""
        made = {
            manifest.relation(model["unique_id"])
            for model in manifest.models()
            if model["config"]["materialized"] != "view"
        }
        made |= {(BASIS_SOURCE, table.name) for table in manifest.kept_tables()}
        for (schema,) in self.rows("show schemas"):
            for _, name, _ in self.rows(f"show tables in {schema}"):
                if (schema, name) in made or schema == ARRIVALS_SOURCE:
                    self.rows(f"drop table {schema}.{name}")
        # the files of a table that lies elsewhere stay
        shutil.rmtree(self.place.spark_dir / ARRIVED, ignore_errors=True)

    # --- what comes in ----------------------------------------------------------------------------

    def lay_raw_tables(self, inspection: landing.Inspection) -> None:
        """Makes schema `raw`: for each table an external one over its files.

        What only DuckDB reads as the contract has it, such as CSV, is first written as Parquet.
        """
        self.rows(f"create schema if not exists {SOURCE_NAME}")
        copies = self.place.spark_dir / "raw_files"
        # rows as they were delivered, of runs before this one
        for stale in (copies, self.place.spark_dir / ARRIVED):
            shutil.rmtree(stale, ignore_errors=True)
        for findings in inspection.tables:
            folder = _folder_as_it_is(inspection.folder, findings)
            if folder is None:
                folder = copies / findings.table.name
                folder.mkdir(parents=True)
                _copy_to_parquet(findings, folder / "rows.parquet")
            columns = {column.name: column.data_type for column in findings.table.columns}
            self._lay_table(SOURCE_NAME, findings.table.name, columns, folder)

    def lay_fitted_table(self, table: FittedTable, connection: duckdb.DuckDBPyConnection) -> None:
        """Gives Spark a fitted table as it stands in the build's database."""
        self._give(connection, (FITTED_SOURCE, table.name), table.columns, "fitted_files")

    def lay_arrivals(self, connection: duckdb.DuckDBPyConnection, contract: RawContract) -> None:
        """Gives Spark what an increment adds, as its views in the build's database tell it."""
        self.rows(f"create schema if not exists {ARRIVALS_SOURCE}")
        for table in contract.tables:
            if table.has_arrivals:
                columns = {column.name: column.data_type for column in table.columns}
                self._give(connection, (ARRIVALS_SOURCE, table.name), columns, ARRIVED)

    def _give(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation: Relation,
        columns: Mapping[str, str],
        place: str,
    ) -> None:
        """Gives Spark a relation as it stands in the build's database, in files of its own."""
        # a new folder each time: what Spark has read of a folder it may remember
        folder = self.place.spark_dir / place / relation[1]
        shutil.rmtree(folder, ignore_errors=True)
        folder = folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"copy (from {quoted_name(*relation)})"
            f" to {quoted_text(str(folder / 'rows.parquet'))} (format parquet)"
        )
        self._lay_table(*relation, columns, folder)

    def _lay_table(self, schema: str, name: str, columns: Mapping[str, str], folder: Path) -> None:
        described = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.rows(f"drop table if exists {schema}.{name}")
        self.rows(
            f"create table {schema}.{name} ({described}) using parquet"
            f" location {_text(str(folder))}"
        )

    # --- what stays ------------------------------------------------------------------------------

    def keep_basis(self, tables: Iterable[KeptTable], mark: str) -> None:
        """Keeps of a build what the next one stands on, known again by its mark."""
        self.rows(f"create schema if not exists {BASIS_SOURCE}")
        for table in tables:
            self._keep(
                f"{BASIS_SOURCE}.{table.name}",
                f"select distinct {', '.join(table.columns)} from {'.'.join(table.kept_from)}",
            )
        self._keep(MARKS, f"select {_text(mark)} as mark")

    def _keep(self, table: str, query: str) -> None:
        self.rows(f"drop table if exists {table}")
        self.rows(f"create table {table} using parquet as {query}")

    def has_mark(self, mark: str) -> bool:
        """Whether the build with that mark is the last that was made here."""
        self.rows(f"create schema if not exists {BASIS_SOURCE}")
        if not self.rows(f"show tables in {BASIS_SOURCE} like 'marks'"):
            return False
        return [row[0] for row in self.rows(f"select mark from {MARKS}")] == [mark]

    # --- what goes out ----------------------------------------------------------------------------

    def _written(self, schema: str, name: str) -> Path:
        """The folder to which Spark has written the rows of a view."""
        folder = self.place.spark_dir / "read" / f"{schema}.{name}"
        self.rows(
            f"insert overwrite directory {_text(str(folder))} using parquet"
            f" select * from {schema}.{name}"
        )
        return folder

    def lay_views(
        self, connection: duckdb.DuckDBPyConnection, relations: Iterable[Relation]
    ) -> None:
        """Makes a view over the files of each of Spark's tables in the build's database."""
        for schema, name in relations:
            described = self.rows(f"describe table extended {schema}.{name}")
            columns, location = _columns_and_location(described)
            location = location or self._written(schema, name)
            connection.execute(f"create schema if not exists {quoted_name(schema)}")
            # of a build that DuckDB made here
            if connection.execute(
                "select 1 from duckdb_tables() where schema_name = ? and table_name = ?",
                [schema, name],
            ).fetchall():
                connection.execute(f"drop table {quoted_name(schema, name)}")
            bookkeeping.note_folder(connection, (schema, name), location)
            connection.execute(
                f"create or replace view {quoted_name(schema, name)} as"
                f" {_view_query(connection, columns, location)}"
            )


def read_outside_spark(manifest: Manifest) -> list[Relation]:
    """The tables of a build that the audit, the fits, the books and the release read."""
    read = {
        manifest.relation(unique_id)
        for table in manifest.fitted_tables()
        for unique_id in table.reads.values()
    }
    released = {(table.schema, table.name) for table in manifest.released_tables()}
    return sorted(read | released | {bookkeeping.CLOCK_RELATION})


def _text(value: str) -> str:
    """A text literal of Spark, in which a backslash is special."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _listens(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
    except OSError as error:
        raise without_answer(f"{host}:{port}", error) from error


def _folder_as_it_is(folder: RawFolder, findings: landing.TableFindings) -> Path | None:
    """The folder of a table where Spark reads all of it as it lies, and nothing besides."""
    files = {file.path for file in folder.files_of(findings.table.name)}
    if len(findings.readings) != 1 or not findings.readings[0].is_plain:
        return None
    (parent,) = {path.parent for path in files}
    # Spark passes over these as well
    visible = {path for path in parent.iterdir() if not path.name.startswith((".", "_"))}
    return parent if visible == files else None


def _copy_to_parquet(findings: landing.TableFindings, path: Path) -> None:
    with duckdb.connect(":memory:", config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"copy ({landing.view_query(findings)}) to {quoted_text(str(path))} (format parquet)"
        )


def _columns_and_location(
    described: list[tuple[Any, ...]],
) -> tuple[dict[str, str], Path | None]:
    """Names and types of a table's columns and where its files are, as `describe` tells them.

    A view has no files.
    """
    columns: dict[str, str] = {}
    location = ""
    is_column = True
    for name, value, *_ in described:
        # the columns come first and end with an empty line; those of its partitions come again
        is_column = is_column and bool(name) and not name.startswith("#")
        if is_column:
            columns[name] = value
        elif name == "Location":
            location = value
    if not location:
        return columns, None
    address = urlparse(location)
    if address.scheme not in {"", "file"}:
        raise BuildError(
            f"Spark keeps its tables at {location}, which is no folder of this machine, so they can"
            f" be neither audited nor released from here. {STANDS} Let its spark.sql.warehouse.dir"
            " be a folder that is mounted here under the same path: docs/scale.md says how."
        )
    return columns, Path(unquote(address.path))


def _view_query(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], folder: Path
) -> str:
    if not any(folder.rglob("*.parquet")):
        nothing = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
        return f"select {nothing} where false"
    files = (
        f"read_parquet({quoted_text(exact_path(folder) + '/**/*.parquet')},"
        " hive_partitioning = true, hive_types_autocast = false)"
    )
    found = {
        name: kind for name, kind, *_ in connection.execute(f"describe from {files}").fetchall()
    }
    selected = ", ".join(
        # Spark's times are instants; those of the project are UTC without saying so
        f"timezone('UTC', {quoted_name(name)}) as {quoted_name(name)}"
        if found[name] == ZONED_TIMESTAMP_TYPE
        else f"cast({quoted_name(name)} as {kind}) as {quoted_name(name)}"
        for name, kind in columns.items()
    )
    return f"select {selected} from {files}"
