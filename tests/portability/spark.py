"""Tells what in the project's models Spark SQL would not take, without a Spark.

dbt renders every model and data test for Spark, so that each dispatched macro gives its Spark side,
and sqlfluff parses what comes out by its grammar of Spark SQL. That grammar is kinder than Spark's
own, and knows no functions; so functions and types are held against what Spark 4.3 has, and the
constructs that it lets pass, found by comparing it with Spark's parser, are refused by name.

Functions that both engines have and read differently can't be seen in what was rendered, where a
dispatched macro may rightly have put them: these are looked for in the text of the models and of
the macros that are dispatched nowhere.

What this does not see: whether a column exists and of what type it is. Only a Spark can tell.

    python -m tests.portability.spark [PROJECT]     exit status 1 where it found a fault
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dbt.cli.main import dbtRunner
from rich.console import Console
from sqlfluff.core import FluffConfig, Linter

from orchestration.settings import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlfluff.core.parser import BaseSegment

TARGET = "spark_parse"
FUNCTIONS_FILE = Path(__file__).with_name("spark_functions.txt")

# the settings of a run on which the text of a model can hang
RUNS: tuple[Mapping[str, str], ...] = (
    {},
    {
        "as_of": "2026-01-01T00:00:00Z",
        "reporting_timezone": "America/Sao_Paulo",
        "reporting_currency": "EUR",
    },
)

TYPES = re.compile(
    r"""
    boolean | tinyint | byte | smallint | short | int | integer | bigint | long | float | real
    | double | date | timestamp | timestamp_ntz | timestamp_ltz | string | binary | void | variant
    | (char | character | varchar) \( \d+ \)
    | (decimal | dec | numeric) ( \( \d+ (,\d+)? \) )?
    | (array | map | struct) < .+ >
    | interval .*
    """,
    re.VERBOSE,
)
LITERAL_TYPES = frozenset({"date", "timestamp", "timestamp_ntz", "timestamp_ltz", "interval", "x"})

DATE_FIELDS = re.compile(
    r"""
    y | yrs? | years? | yearofweek | qtr | quarter | mons? | months? | w | weeks?
    | d | days? | doy | dow | dayofweek | dow_iso | dayofweek_iso
    | h | hrs? | hours? | m | mins? | minutes? | s | secs? | seconds?
    """,
    re.VERBOSE | re.IGNORECASE,
)

FUNCTIONS_OF_UNITS = frozenset(
    {"date_add", "date_diff", "dateadd", "datediff", "timestampadd", "timestampdiff"}
)

AGGREGATES = frozenset({"avg", "count", "max", "max_by", "median", "min", "min_by", "sum"})

# what sqlfluff's grammar lets pass and Spark's doesn't, by the name of its segment
REFUSED_SEGMENTS = {
    "aggregate_order_by": "an order inside an aggregate function's brackets",
    "array_literal": "a list in square brackets",
    "object_literal": "a struct in curly brackets",
    "semi_structured_expression": "a colon after a name",
    "slice": "a slice of a list",
    "time_zone_grammar": "`at time zone`",
    "unparsable": "this",
}

# which functions both engines have under one name, and what they would do to a figure
OTHER_MEANINGS = {
    "any_value": "DuckDB skips nulls, Spark doesn't",
    "array_agg": "Spark drops nulls, DuckDB doesn't",
    "concat": "DuckDB reads a null as empty text, in Spark all is null; write `||`",
    "date_add": "DuckDB adds an interval, Spark days; write `+ interval`",
    "date_diff": "the arguments differ in order and kind",
    "date_sub": "DuckDB takes a difference, Spark subtracts days",
    "datediff": "the arguments differ in order and kind",
    "dayofweek": "Sunday is 0 in DuckDB and 1 in Spark",
    "format_string": "the formats differ",
    "hash": "the values differ",
    "log": "base 10 in DuckDB, natural in Spark; write `ln` or `log10`",
    "regexp_replace": "DuckDB replaces the first match, Spark all",
    "split": "DuckDB splits at a text, Spark at a regular expression",
    "to_timestamp": "DuckDB takes seconds, Spark text",
    "trunc": "DuckDB cuts a number, Spark a date",
    "weekday": "Sunday is 0 in DuckDB, Monday in Spark",
}
OTHER_MEANING_PATTERNS = {
    r"\w\s*\[\s*\d+\s*\]": "an element by its number: DuckDB counts from 1, Spark from 0",
    r"'[^'\n]*\\[^'\n]*'": "a backslash in a text: Spark reads it as an escape, DuckDB as itself",
    r"\s\^\s": "`^`: a power in DuckDB, exclusive or in Spark",
}


@dataclass(frozen=True)
class Query:
    """One rendered model or data test: where it is written, and what dbt made of it for Spark."""

    path: Path
    name: str
    sql: str


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that Spark would refuse or read differently, on a line counted from 1."""

    line: int
    what: str


@cache
def spark_functions() -> frozenset[str]:
    """The names of Spark's built-in functions, in lower case."""
    lines = FUNCTIONS_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@cache
def _linter() -> Linter:
    return Linter(config=FluffConfig(overrides={"dialect": "sparksql", "templater": "raw"}))


def faults_of_spark(sql: str) -> list[Fault]:
    """What Spark's parser or its list of functions would refuse in a rendered query, by line."""
    parsed = _linter().parse_string(sql.rstrip() + "\n")
    faults = {
        Fault(violation.line_no, violation.desc().splitlines()[0])
        for violation in parsed.violations
    }
    if parsed.tree is not None:
        for segment in parsed.tree.recursive_crawl_all():
            position = segment.pos_marker
            line = position.working_line_no if position else 0
            faults.update(Fault(line, what) for what in _refused(segment))
    return sorted(faults)


def _refused(segment: BaseSegment) -> Iterator[str]:
    """What Spark would refuse of one node of the parsed query, its own parts aside."""
    kind = segment.get_type()
    if kind in REFUSED_SEGMENTS:
        yield f"{REFUSED_SEGMENTS[kind]} is not Spark SQL: {segment.raw.strip()[:60]!r}"
    if kind in JUDGES:
        yield from JUDGES[kind](segment)


def _refused_name(name: BaseSegment) -> Iterator[str]:
    if name.raw.lower() not in spark_functions():
        yield f"Spark has no function `{name.raw.lower()}`"


def _refused_type(data_type: BaseSegment) -> Iterator[str]:
    if not TYPES.fullmatch(re.sub(r"\s", "", data_type.raw.lower())):
        yield f"Spark has no type `{data_type.raw.lower()}`"


def _refused_quotes(quoted: BaseSegment) -> Iterator[str]:
    if quoted.raw.startswith('"'):
        yield f"Spark reads double quotes as a text: {quoted.raw}"
    elif quoted.is_type("quoted_identifier") and quoted.raw.startswith("'"):
        yield f"a file in the place of a table is DuckDB's alone: {quoted.raw}"


def _refused_join(alias: BaseSegment) -> Iterator[str]:
    if alias.raw.lower() in {"asof", "positional"}:
        yield f"Spark has no {alias.raw.lower()} join, and reads the word as an alias"


def _refused_call(function: BaseSegment) -> Iterator[str]:
    """What is wrong with how a function is called, which the parser did not see."""
    name = next(function.recursive_crawl("function_name")).raw.lower()
    contents = next(function.recursive_crawl("function_contents"), None)
    brackets = contents and contents.get_child("bracketed")
    if not brackets:
        return
    words = [part for part in brackets.segments if part.is_code]
    first = words[1]
    if name in {"cast", "try_cast"} and not words[-2].is_type("data_type"):
        yield f"Spark has no such type: `{brackets.raw}`"
    if name in {"extract", "date_part"} and not DATE_FIELDS.fullmatch(first.raw.strip("'")):
        yield f"Spark extracts no `{first.raw}`"
    if name in FUNCTIONS_OF_UNITS and first.raw.startswith("'"):
        yield f"Spark takes the unit of `{name}` without quotes: {first.raw}"
    if any(part.is_type("keyword") and part.raw.lower() == "nulls" for part in words):
        yield f"Spark writes `ignore nulls` after the brackets: `{name}{brackets.raw}`"


def _refused_literal(expression: BaseSegment) -> Iterator[str]:
    code = [part for part in expression.segments if part.is_code]
    for kind, value in pairwise(code):
        if (
            kind.is_type("data_type")
            and value.is_type("quoted_literal")
            and kind.raw.lower() not in LITERAL_TYPES
        ):
            yield f"Spark has no literal of that type: {kind.raw} {value.raw}"


def _refused_operator(operator: BaseSegment) -> Iterator[str]:
    if operator.raw.lower() not in {"like", "ilike", "rlike", "regexp"}:
        yield f"Spark has no operator `{operator.raw}`"


def _refused_qualify(clause: BaseSegment) -> Iterator[str]:
    for function in clause.recursive_crawl("function"):
        name = next(function.recursive_crawl("function_name")).raw.lower()
        if name in AGGREGATES and function.get_child("over_clause") is None:
            yield f"Spark finds no `{name}` of a group in `qualify`: count it in a query before"


JUDGES: Mapping[str, Callable[[BaseSegment], Iterator[str]]] = {
    "alias_expression": _refused_join,
    "bare_function": _refused_name,
    "data_type": _refused_type,
    "expression": _refused_literal,
    "function": _refused_call,
    "function_name": _refused_name,
    "like_operator": _refused_operator,
    "qualify_clause": _refused_qualify,
    "quoted_identifier": _refused_quotes,
    "quoted_literal": _refused_quotes,
}


def faults_of_meaning(text: str) -> list[Fault]:
    """What both engines take and read differently, in the text of a model or macro, by line."""
    bare = re.sub(
        r"\{#.*?#\}|\{%.*?%\}|--[^\n]*",
        lambda comment: "\n" * comment.group().count("\n"),
        text,
        flags=re.DOTALL,
    )
    # inside {{ … }} only a text is SQL: what is called there is a macro
    bare = re.sub(r"\{\{.*?\}\}", _only_texts, bare, flags=re.DOTALL)
    patterns = {
        rf"(?<![\w.]){name}\s*\(": f"`{name}` means another thing in each engine: {why}"
        for name, why in OTHER_MEANINGS.items()
    } | OTHER_MEANING_PATTERNS
    return sorted(
        Fault(bare.count("\n", 0, found.start()) + 1, what)
        for pattern, what in patterns.items()
        for found in re.finditer(pattern, bare, flags=re.IGNORECASE)
    )


def _only_texts(call: re.Match[str]) -> str:
    texts = " ".join(re.findall(r'"([^"]*)"', call.group()))
    return texts + "\n" * (call.group().count("\n") - texts.count("\n"))


def undispatched(text: str) -> str:
    """The text of a macro file with every macro blanked that speaks for one engine only."""
    return re.sub(
        r"\{%-?\s*macro\s+(duckdb|spark)__.*?endmacro\s*-?%\}",
        lambda macro: "\n" * macro.group().count("\n"),
        text,
        flags=re.DOTALL,
    )


def rendered_queries(project: Path) -> list[Query]:
    """Every model and data test as dbt renders it for Spark; the same text comes once.

    Raises:
        RuntimeError: dbt could not render the project; its own words are on the terminal.
    """
    queries: dict[tuple[Path, str], Query] = {}
    # parsed once: no configuration hangs on a var
    parsed = _dbt(project, "parse", "--no-partial-parse")
    for run in RUNS:
        for adds in (False, True):
            for query in _render(project, run, parsed, adds=adds):
                queries.setdefault((query.path, query.sql), query)
    return list(queries.values())


def _dbt(project: Path, command: str, *options: str, parsed: Any = None) -> Any:  # noqa: ANN401
    """What dbt returns of a command for the engine that is rendered for."""
    arguments = [command, "--quiet", "--project-dir", str(project), "--profiles-dir", str(project)]
    arguments += ["--target", TARGET, "--target-path", str(project / "target" / "spark")]
    with _pyspark_in_name():
        outcome = dbtRunner(manifest=parsed).invoke([*arguments, *options])
    if not outcome.success:
        raise RuntimeError(f"dbt can't render the project for Spark: {outcome.exception or ''}")
    return outcome.result


def _render(
    project: Path,
    run: Mapping[str, str],
    parsed: Any,  # noqa: ANN401
    *,
    adds: bool,
) -> list[Query]:
    """What dbt compiles under some vars: of a whole build, or the models of an increment."""
    options = ["--no-populate-cache", "--no-introspect", "--vars", json.dumps(dict(run))]
    options += ["--select", "resource_type:model", *([] if adds else ["resource_type:test"])]
    with environment(TENURE_INCREMENT="yes" if adds else "no"):
        results = _dbt(project, "compile", *options, parsed=parsed)
    return [
        Query(Path(node.original_file_path), node.name, node.compiled_code)
        for node in (result.node for result in results)
        if node.language == "sql" and not _is_stock_test(node)
    ]


@contextmanager
def _pyspark_in_name() -> Iterator[None]:
    """A module called pyspark: the adapter asks for one first of all, and nothing connects."""
    is_missing = importlib.util.find_spec("pyspark") is None
    if is_missing:
        sys.modules["pyspark"] = ModuleType("pyspark")
    try:
        yield
    finally:
        if is_missing:
            del sys.modules["pyspark"]


def _is_stock_test(node: Any) -> bool:  # noqa: ANN401  # dbt's nodes have no common public type
    """Whether a node is a test that dbt brings along, and so answers for itself."""
    metadata = getattr(node, "test_metadata", None)
    stock = {"accepted_values", "not_null", "relationships", "unique"}
    return metadata is not None and metadata.name in stock


def check(project: Path) -> list[str]:
    """One line for each fault of the project: file, line, and what Spark makes of it."""
    complaints = []
    queries = rendered_queries(project)
    # a fresh interpreter each: dbt leaves threads behind, which a fork would cut off
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        faults_by_query = list(pool.map(faults_of_spark, [query.sql for query in queries]))
    for query, faults in zip(queries, faults_by_query, strict=True):
        complaints += [
            f"{query.path}: {fault.what} (line {fault.line} of {query.name} as compiled)"
            for fault in faults
        ]
    for folder in ("models", "macros", "tests/dbt"):
        for path in sorted((project / folder).rglob("*.sql")):
            text = undispatched(path.read_text(encoding="utf-8"))
            complaints += [
                f"{path.relative_to(project)}:{fault.line}: {fault.what}"
                for fault in faults_of_meaning(text)
            ]
    return list(dict.fromkeys(complaints))


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 where Spark would take every model, 1 where it wouldn't."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    project = Path(arguments[0] if arguments else ".").resolve()
    complaints = check(project)
    for complaint in complaints:
        console.print(complaint)
    if complaints:
        console.print(
            f"{len(complaints)} places that Spark would not take as they are: "
            "use what both engines have, or a dispatched macro"
        )
        return 1
    console.print("Spark SQL has everything that the models use")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
