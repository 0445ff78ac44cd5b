"""The dbt project: the one object that knows its paths, parses it and runs it.

dbt runs in this process. As a process of its own it would load its adapters twice, ask for its
version and parse again, which is longer than the build of a small service.
"""

import hashlib
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import yaml

from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, counted, printable, without_values
from orchestration.raw.contract import RawContract, read_raw_contract
from orchestration.settings import environment
from orchestration.transform.data_tests import Broken, broken_rules
from orchestration.transform.dbt_events import only_heard_events
from orchestration.transform.dbt_shortcuts import quick_contexts, quick_results
from orchestration.transform.kept_parse import KeptParse
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import AS_OF, Parameters

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest as ParsedManifest

# asks the engine of a build for the rows of a query
Ask = Callable[[str], Sequence[Any]]

SUCCESSES = frozenset({"success", "pass", "no-op"})
ERRORS = frozenset({"error", "runtime error", "partial success"})

LOGGED_LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
# colours, for a terminal
STYLE = re.compile(r"\x1b\[[0-9;]*m")
LOG_BYTES = 10_000_000
KEPT_LOGS = 4


@dataclass(frozen=True)
class NodeStarted:
    """A node's turn has come; `index` of `total`."""

    unique_id: str
    index: int
    total: int


@dataclass(frozen=True)
class NodeFinished:
    """How a node ended; `failures` are failing rows of a test, `status` is dbt's word.

    `message` is dbt's or the engine's, without what it quotes of a row.
    """

    unique_id: str
    status: str
    failures: int
    message: str
    seconds: float

    @property
    def is_success(self) -> bool:
        """Whether it did what it should."""
        return self.status in SUCCESSES


NodeEvent = NodeStarted | NodeFinished


@dataclass
class DbtBuild:
    """One invocation of dbt under way: iterate it to its end, then ask how it went."""

    events: "queue.SimpleQueue[NodeEvent | None]" = field(default_factory=queue.SimpleQueue)
    result: "dbtRunnerResult | None" = None
    finished: list[NodeFinished] = field(default_factory=list)

    def __iter__(self) -> Iterator[NodeEvent]:
        """The events as they happen; ends with the build."""
        while (event := self.events.get()) is not None:
            if isinstance(event, NodeFinished):
                self.finished.append(event)
            yield event

    def error(self) -> BaseException | None:
        """What kept dbt from running its nodes at all; None if it ran them, well or not."""
        return self.result.exception if self.result else None

    def failing_messages(self, rows: Ask, unique_id: str) -> list[str]:
        """What the failing rows of a test tell: their column `message`, or what of many they break.

        `rows` asks the engine of the build.
        """
        from dbt_common.exceptions import DbtRuntimeError

        query = f"select distinct message from ({self._compiled_sql(unique_id)}) order by 1"
        try:
            return [str(message) for (message,) in rows(query)]
        except (duckdb.BinderException, DbtRuntimeError):
            broken = self.broken(rows, unique_id)
            return [f"{mark}: {counted(count, 'row')}" for mark, count in sorted(broken.items())]

    def broken(self, rows: Ask, unique_id: str) -> Broken:
        """How many rows break each thing that a failed test holds; empty where rows do not say.

        `rows` asks the engine of the build.
        """
        from dbt_common.exceptions import DbtRuntimeError

        try:
            return broken_rules(rows, self._compiled_sql(unique_id))
        except (duckdb.BinderException, duckdb.CatalogException, DbtRuntimeError):
            # tables that know raw ids are gone with the build
            return {}

    def _compiled_sql(self, unique_id: str) -> str:
        results: Any = self.result.result if self.result else None
        for result in results.results if results else ():
            if result.node.unique_id == unique_id:
                return str(result.node.compiled_code)
        raise KeyError(unique_id)


@dataclass(frozen=True)
class DbtProject:
    """A dbt project in a folder, with its profile beside it, of which `target` is the engine.

    Without one it is the profile's own.
    """

    root: Path
    target: str | None = None

    @property
    def models_dir(self) -> Path:
        """Where the models and the raw contract are."""
        return self.root / "models"

    def version(self) -> str:
        """The version that the project gives itself; `unknown` if none."""
        document = yaml.safe_load((self.root / "dbt_project.yml").read_text(encoding="utf-8"))
        return str(document.get("version", "unknown"))

    def fingerprint(self, engine: str) -> str:
        """A hash of SQL, YAML, seeds and engine: with the same one, the same rows make the same."""
        digest = hashlib.sha256(engine.encode())
        for path in sorted(path for path in self._files() if path.is_file()):
            digest.update(f"{path.relative_to(self.root)}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def contract(self) -> RawContract:
        """The raw tables that the project declares as sources."""
        return read_raw_contract(self.models_dir)

    def parse(self, warehouse: Warehouse, parameters: Parameters) -> "ParsedProject":
        """The parsed project; only what changed since the last time is parsed again.

        All of it is, where a macro changed: dbt then parses the singular tests that use it anew,
        and forgets what their YAML says of them. What was parsed of the same project for another
        warehouse or horizon is taken for the last time.

        Raises BuildError with dbt's words where the project does not parse.
        """
        from dbt.cli.main import dbtRunner

        # the models ask for the horizon, and no configuration does: a new one is no other project
        parameters = parameters.without(AS_OF)
        state = self.fingerprint(str(self.target))
        kept = KeptParse(self.root, f"{self.root.absolute()} {parameters.as_json()} {state}")
        partial = warehouse.dbt_dir / "partial_parse.msgpack"
        kept.lend(partial)
        # dbt begins from nothing where the path of the database is another
        with environment(TENURE_WAREHOUSE="warehouse"), _log(warehouse) as note:
            runner = dbtRunner(callbacks=[note])
            result = runner.invoke(
                [
                    "parse",
                    *([] if self._are_macros_older_than(partial) else ["--no-partial-parse"]),
                    *self._options(warehouse, parameters),
                ]
            )
        if isinstance(result.exception, KeyboardInterrupt):
            raise result.exception
        if not result.success:
            if isinstance(result.exception, OSError):
                # of the warehouse that dbt writes to, and not of the project
                raise result.exception
            raise BuildError(f"the dbt project in {self.root} does not parse: {result.exception}")
        kept.take(partial)
        parsed: Any = result.result
        return ParsedProject(self, Manifest.read(warehouse.dbt_dir / "manifest.json"), parsed)

    def manifest(self, warehouse: Warehouse, parameters: Parameters) -> Manifest:
        """The manifest, read from the last parse where no file of the project is newer."""
        path = warehouse.dbt_dir / "manifest.json"
        if path.exists() and path.stat().st_mtime >= self._last_change():
            return Manifest.read(path)
        return self.parse(warehouse, parameters).manifest

    def start(
        self,
        warehouse: Warehouse,
        parameters: Parameters,
        *,
        tests: Literal["all", "none", "only"] = "all",
        parsed: "ParsedManifest | None" = None,
        select: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        adds: bool = False,
        is_exact: bool = False,
    ) -> DbtBuild:
        """Starts dbt on all models and data tests, or on those selected and not excluded.

        With all tests, what stands on a model whose test failed is skipped; with `only` them,
        nothing is built. Unit tests are left out: they prove the SQL, which does not change between
        two runs. With `adds`, tables that grow by increments get what has come since the last
        build, otherwise they are made anew. With `is_exact` no test is run but those selected,
        however many judge a selected model.
        """
        arguments = [
            "test" if tests == "only" else "build",
            *self._options(warehouse, parameters),
            # run_results.json would hold the errors as they are
            "--no-write-json",
            *("--exclude-resource-type", "unit_test"),
            *(("--exclude-resource-type", "test") if tests == "none" else ()),
            *(("--indirect-selection", "empty") if is_exact else ()),
            *(["--select", *select] if select else []),
            *(["--exclude", *exclude] if exclude else []),
        ]
        build = DbtBuild()
        # a thread that ends with the process: Ctrl-C must not wait for the query under way
        threading.Thread(
            target=_run, args=(build, arguments, warehouse, parsed, adds), name="dbt", daemon=True
        ).start()
        return build

    def document(self, warehouse: Warehouse, parameters: Parameters) -> Path:
        """Has dbt write its site of models, columns and lineage as one file; returns that file.

        Nobody else may have the build's database open meanwhile. Raises BuildError with dbt's
        words.
        """
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        arguments = ["docs", "generate", "--static", *self._options(warehouse, parameters)]
        parsed = self.parse(warehouse, parameters)
        try:
            with environment(TENURE_WAREHOUSE=str(warehouse.root)):
                result = dbtRunner(manifest=parsed.parsed).invoke(arguments)
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        if not result.success:
            raise BuildError(f"dbt could not write its documentation: {result.exception}")
        return warehouse.dbt_dir / "static_index.html"

    def _options(self, warehouse: Warehouse, parameters: Parameters) -> list[str]:
        return [
            *("--project-dir", str(self.root)),
            *("--profiles-dir", str(self.root)),
            *(("--target", self.target) if self.target else ()),
            *("--target-path", str(warehouse.dbt_dir)),
            *("--log-path", str(warehouse.dbt_dir)),
            *("--log-level", "none"),
            # an error of the engine may quote a row: `_log` leaves that out
            *("--log-level-file", "none"),
            *(["--vars", parameters.as_json()] if parameters.overrides else []),
        ]

    def _files(self) -> list[Path]:
        folders = ("models", "seeds", "macros", "tests/dbt")
        files = [self.root / "dbt_project.yml", self.root / "profiles.yml"]
        files.extend(path for folder in folders for path in (self.root / folder).rglob("*"))
        return files

    def _last_change(self) -> float:
        return _newest(self._files())

    def _are_macros_older_than(self, partial: Path) -> bool:
        """Whether no macro is newer than what dbt keeps of the last parse."""
        macros = self.root / "macros"
        return not partial.exists() or partial.stat().st_mtime > _newest(
            [macros, *macros.rglob("*")]
        )


def _newest(paths: Iterable[Path]) -> float:
    return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)


@dataclass(frozen=True)
class ParsedProject:
    """A project with its manifest, and dbt's own object of it, which saves parsing it twice."""

    project: DbtProject
    manifest: Manifest
    parsed: "ParsedManifest"


def _run(
    build: DbtBuild,
    arguments: list[str],
    warehouse: Warehouse,
    parsed: "ParsedManifest | None",
    adds: bool,  # noqa: FBT001
) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    def pass_on(message: Any) -> None:  # noqa: ANN401
        event = _node_event(message)
        if event:
            build.events.put(event)

    try:
        with (
            environment(
                TENURE_WAREHOUSE=str(warehouse.root), TENURE_INCREMENT="yes" if adds else "no"
            ),
            _log(warehouse) as note,
        ):
            runner = dbtRunner(manifest=parsed, callbacks=[note, pass_on])
            build.result = runner.invoke(arguments)
    finally:
        # or the file stays locked for the steps that follow
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        build.events.put(None)


@contextmanager
def _log(warehouse: Warehouse) -> Iterator[Callable[[Any], None]]:
    """What writes dbt's messages to `dbt.log`, a line each, without what they quote of a row."""
    handler = RotatingFileHandler(
        warehouse.dbt_dir / "dbt.log",
        maxBytes=LOG_BYTES,
        backupCount=KEPT_LOGS,
        encoding="utf-8",
        errors="backslashreplace",
        delay=True,
    )
    formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.Logger("dbt", logging.INFO)
    logger.addHandler(handler)

    def note(message: Any) -> None:  # noqa: ANN401
        level = str(message.info.level)
        text = STYLE.sub("", message.info.msg).strip()
        if level in LOGGED_LEVELS and text:
            logger.log(LOGGED_LEVELS[level], "%s", printable(without_values(text)))

    try:
        with only_heard_events(), quick_contexts(), quick_results():
            yield note
    finally:
        handler.close()


def _node_event(message: Any) -> NodeEvent | None:  # noqa: ANN401
    data = message.data
    if message.info.name == "LogStartLine":
        return NodeStarted(data.node_info.unique_id, data.index, data.total)
    if message.info.name == "NodeFinished":
        return NodeFinished(
            unique_id=data.node_info.unique_id,
            status=data.node_info.node_status,
            failures=data.run_result.num_failures,
            message=without_values(data.run_result.message),
            seconds=data.run_result.execution_time,
        )
    return None
