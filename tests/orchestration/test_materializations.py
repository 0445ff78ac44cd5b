"""Tables and views are made in place of what stands, whole or not at all."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from orchestration.settings import PROJECT_DIR

PROJECT = f"""
name: made
profile: made
macro-paths: ['{PROJECT_DIR / "macros" / "materializations"}']
flags: {{send_anonymous_usage_stats: false}}
models:
  +persist_docs: {{relation: true, columns: true}}
"""
PROPERTIES = """
models:
  - name: {name}
    description: What it is.
    columns:
      - {{name: number, data_type: integer, description: It counts.}}
"""
KINDS = ("table", "view")
CHANGES = tuple(itertools.product(KINDS, KINDS))
CONTRACT = {"materialized": "table", "contract": {"enforced": True}}
GROWING = {"materialized": "incremental"}
PORTIONED = {**GROWING, "meta": {"portions": "parts"}}
PART = "getvariable('portion_first_month')"
LATE = "case when range < 5000 then 2 else error('no') end from range(6000)"


def _parts(first: int, last: int) -> tuple[str, Mapping[str, Any]]:
    """A model of portions, each of which begins with ten times its number."""
    limits = ("first_month", "next_month", "earliest_at", "latest_at")
    columns = ", ".join(f"10 * range as {limit}" for limit in limits)
    portions = f"range as number, range as portion, {columns} from range({first}, {last + 1})"
    return portions, {"materialized": "table"}


FIRST = {
    **{f"from_{kind}_to_{then}": ("1", {"materialized": kind}) for kind, then in CHANGES},
    **{f"from_{kind}_to_bad_{then}": ("1", {"materialized": kind}) for kind, then in CHANGES},
    "late": ("1", CONTRACT),
    "grown": ("1", GROWING),
    "grown_late": ("1", GROWING),
    "refreshed": ("1", GROWING),
    "parts": _parts(0, 2),
    "portioned": (f"{PART}::int from {{{{ ref('parts') }}}} limit 1", PORTIONED),
    "badly_portioned": (f"{PART}::int from {{{{ ref('parts') }}}} limit 1", PORTIONED),
    "hooked": (
        "count(*)::int as number from seen",
        {
            "materialized": "table",
            "pre_hook": ["create table seen as select 1 as one"],
            "post_hook": ["insert into seen select number from {{ this }}"],
        },
    ),
}
THEN = {
    **{f"from_{kind}_to_{then}": ("2", {"materialized": then}) for kind, then in CHANGES},
    **{f"from_{kind}_to_bad_{then}": ("nobody", {"materialized": then}) for kind, then in CHANGES},
    "late": (LATE, CONTRACT),
    "grown": ("2", GROWING),
    "grown_late": (LATE, GROWING),
    "refreshed": ("2", {**GROWING, "full_refresh": True}),
    "parts": _parts(5, 6),
    "portioned": (f"{PART}::int from {{{{ ref('parts') }}}} limit 1", PORTIONED),
    "badly_portioned": (
        f"case when {PART} = 60 then error('no') else 7 end from {{{{ ref('parts') }}}} limit 1",
        PORTIONED,
    ),
}
"""What is selected as the one column of each model, and the model's configuration."""


def _run(root: Path, models: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    for name, (expression, config) in models.items():
        number, _, source = expression.partition(" from ")
        named = number if " as " in number else f"{number} as number"
        sql = f"select {named}" + (f" from {source}" if source else "")
        (root / "models" / f"{name}.sql").write_text(f"{sql} {{{{ config(**{config}) }}}}")
        (root / "models" / f"{name}.yml").write_text(PROPERTIES.format(name=name))
    folders = [f"--{name}={root}" for name in ("project-dir", "profiles-dir", "log-path")]
    try:
        done: Any = dbtRunner().invoke(["--quiet", "run", *folders, "--select", *models])
    finally:
        DuckDBConnectionManager.close_all_connections()
    return {each.node.name: str(each.status) for each in done.result.results}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], dict[str, str]]:
    """A database in which models were made twice, and how each went the first and second time."""
    root = tmp_path_factory.mktemp("made")
    profile = {"type": "duckdb", "path": str(root / "made.duckdb")}
    (root / "profiles.yml").write_text(f"made: {{target: it, outputs: {{it: {profile}}}}}")
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "models").mkdir()
    return root, _run(root, FIRST), _run(root, THEN)


Made = tuple[Path, dict[str, str], dict[str, str]]


def _ask(made: Made, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(made[0] / "made.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_nothing_but_the_models_and_their_hooks_table_is_left(made: Made) -> None:
    assert set(made[1].values()) == {"success"}
    names = _ask(made, "select table_name from information_schema.tables")
    assert {name for (name,) in names} == {*FIRST, "seen"}


@pytest.mark.parametrize(("first", "then"), CHANGES)
def test_what_is_made_takes_the_place_of_what_stood(made: Made, first: str, then: str) -> None:
    name = f"from_{first}_to_{then}"
    assert made[2][name] == "success"
    assert _ask(made, f"select * from {name}") == [(2,)]
    kind = {"table": "BASE TABLE", "view": "VIEW"}[then]
    query = f"select table_type from information_schema.tables where table_name = '{name}'"
    assert _ask(made, query) == [(kind,)]


@pytest.mark.parametrize(("first", "then"), CHANGES)
def test_what_fails_leaves_what_stood(made: Made, first: str, then: str) -> None:
    name = f"from_{first}_to_bad_{then}"
    assert made[2][name] == "error"
    assert _ask(made, f"select * from {name}") == [(1,)]


def test_a_row_that_fails_after_thousands_leaves_what_stood(made: Made) -> None:
    assert made[2]["late"] == "error"
    assert _ask(made, "select * from late") == [(1,)]


@pytest.mark.parametrize("kind", KINDS)
def test_descriptions_are_kept_with_what_is_made(made: Made, kind: str) -> None:
    name = f"from_{kind}_to_{kind}"
    query = f"select comment from duckdb_{kind}s() where {kind}_name = '{name}'"
    assert _ask(made, query) == [("What it is.",)]
    columns = f"select comment from duckdb_columns() where table_name = '{name}'"
    assert _ask(made, columns) == [("It counts.",)]


def test_hooks_run_before_and_after(made: Made) -> None:
    assert _ask(made, "select number from hooked") == [(1,)]
    assert _ask(made, "select one from seen") == [(1,), (1,)]


def test_a_table_that_grows_keeps_its_rows_but_for_a_full_refresh(made: Made) -> None:
    assert _ask(made, "select number from grown order by number") == [(1,), (2,)]
    assert _ask(made, "select number from refreshed") == [(2,)]


def test_a_table_of_portions_has_the_rows_of_each(made: Made) -> None:
    rows = _ask(made, "select number from portioned order by number")
    assert rows == [(0,), (10,), (20,), (50,), (60,)]


@pytest.mark.parametrize(("name", "rows"), [("grown_late", [1]), ("badly_portioned", [0, 10, 20])])
def test_what_fails_adds_nothing(made: Made, name: str, rows: list[int]) -> None:
    assert made[2][name] == "error"
    assert _ask(made, f"select number from {name} order by number") == [(row,) for row in rows]
