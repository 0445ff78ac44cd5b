"""What the test `integrity` holds of a table, each thing told by its own name."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.database.warehouse import Warehouse
from orchestration.settings import PROJECT_DIR
from orchestration.transform.data_tests import broken_rules, parent_test, rules_of, told_apart
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import Parameters
from orchestration.transform.project import DbtProject, NodeFinished
from tests.one_parse import invoke_dbt, what_failed

TABLE = """
select * from (values
    {rows}
) as made(region, number, tier, share, plays, code)
"""

WELL = ["('north', 1, 'basic', 0.0, 0, 'a')", "('north', 2, null, 1.0, null, null)"]
ILL = [
    "('south', 1, 'basic', null, 5, 'b')",
    "('south', 1, 'gold', 1.5, -1, 'b')",
    "('south', null, 'premium', -0.5, -2, 'c')",
    "(null, 7, 'gold', 0.5, 1, null)",
]
BROKEN = {
    "primary_key": 3,
    "unique_code": 1,
    "not_null_region": 1,
    "not_null_number": 1,
    "accepted_values_tier": 2,
    "within_unit_interval_share": 2,
    "never_negative_plays": 2,
}

YAML = """
models:
  - name: places
    data_tests:
      - integrity:
          name: integrity_places
          arguments:
            primary_key: [region, number]
            unique: [code]
            not_null: [region, number]
            accepted_values: {tier: [basic, premium]}
            within_unit_interval: [share]
            never_negative: [plays]
  - name: clock
    data_tests:
      - integrity:
          name: integrity_clock
          arguments: {primary_key: []}
"""


def outcomes(
    project: Path, place: Warehouse, *, rows: list[str], clocks: int
) -> dict[str, tuple[str, dict[str, int]]]:
    """How each test of the two tables came out, and what it says is broken, by the test's name."""
    folder = project / "models" / "marts"
    (folder / "places.sql").write_text(TABLE.format(rows=",\n".join(rows)))
    (folder / "clock.sql").write_text(f"select 1 as tick from range({clocks})")
    (folder / "places.yml").write_text(YAML)
    (project / "dbt_project.yml").write_text(
        (project / "dbt_project.yml").read_text().replace("+contract: {enforced: true}", "")
    )
    parameters = Parameters({}, {})
    build = DbtProject(project).start(place, parameters, select=("places", "clock"))
    nodes = [event for event in build if isinstance(event, NodeFinished)]
    statuses = {node.unique_id: node.status for node in nodes if node.unique_id.startswith("test")}
    with duckdb.connect(str(place.build_file), read_only=True) as connection:

        def ask(query: str) -> list[Any]:
            return connection.execute(query).fetchall()

        return {
            unique_id.split(".")[2]: (status, dict(build.broken(ask, unique_id)))
            for unique_id, status in statuses.items()
        }


def test_a_broken_row_says_what_it_breaks(small_project: Path, warehouse: Warehouse) -> None:
    found = outcomes(small_project, warehouse, rows=[*WELL, *ILL], clocks=2)
    assert found == {
        "integrity_places": ("fail", BROKEN),
        "integrity_clock": ("fail", {"primary_key": 1}),
    }


def test_sound_rows_break_nothing(small_project: Path, warehouse: Warehouse) -> None:
    found = outcomes(small_project, warehouse, rows=WELL, clocks=1)
    assert found == {"integrity_places": ("pass", {}), "integrity_clock": ("pass", {})}


DAYS = "integrity_int_viewing__subscriber_days"


def test_an_increment_is_asked_for_the_keys_that_it_has_made(tmp_path: Path) -> None:
    arguments = ["compile", "--select", DAYS]
    compiling = invoke_dbt(
        arguments, tmp_path, target=tmp_path / "target", env={"TENURE_INCREMENT": "yes"}
    )
    assert what_failed(compiling) == ""
    done: Any = compiling.result
    (compiled,) = [each.node.compiled_code for each in done.results if each.node.name == DAYS]
    with duckdb.connect(":memory:") as connection:
        for database in ("build", "forgotten"):
            connection.execute(f"attach ':memory:' as {database}")
            connection.execute(f"create schema {database}.intermediate")
        days = "build.intermediate.int_viewing__subscriber_days"
        connection.execute(f"create table {days} (subscriber_id varchar, viewing_date date)")
        connection.execute(
            "create table build.intermediate.int_viewing__touched_months as"
            " select date '2025-03-01' as month_start"
        )
        connection.execute(
            "create table forgotten.intermediate.int_viewing__replaced_ids as"
            " select 'erased' as subscriber_id"
        )
        # each twice: of a month that was tested when it was made, of one made anew, of another id
        connection.execute(
            f"insert into {days} select day.* from (values ('ann', date '2025-02-28'),"
            " ('ann', date '2025-03-31'), ('erased', date '2025-01-01')) as day, range(2)"
        )
        found = connection.execute(f"select * from ({compiled}) order by all").fetchall()
    assert found == [
        ("ann", date(2025, 3, 31), "primary_key"),
        ("erased", date(2025, 1, 1), "primary_key"),
    ]


def test_each_thing_has_the_name_of_its_kind_table_and_column(manifest: Manifest) -> None:
    (test,) = [
        node
        for node in manifest.content["nodes"].values()
        if node["name"] == "integrity_fct_mrr_movements"
    ]
    assert [(rule.name, rule.kind, rule.column) for rule in rules_of(test)] == [
        ("primary_key_fct_mrr_movements", "primary_key", None),
        ("not_null_fct_mrr_movements_category", "not_null", "category"),
        ("accepted_values_fct_mrr_movements_category", "accepted_values", "category"),
    ]


def test_the_failing_rows_of_one_thing_are_its_own() -> None:
    sql = "select * from (values (1, 'a_b a'), (2, 'a_b')) as made(thing_id, broken) -- all"
    test = {
        "name": "integrity_things",
        "attached_node": "model.tenure.things",
        "test_metadata": {
            "name": "integrity",
            "kwargs": {"model": "", "primary_key": ["thing_id"], "a": ["b"]},
        },
    }
    key, rule = rules_of(test)
    with duckdb.connect() as connection:
        assert connection.execute(rule.failing_rows(sql)).fetchall() == [(1, "a_b a"), (2, "a_b")]
        assert connection.execute(key.failing_rows(sql)).fetchall() == []
        broken = broken_rules(lambda query: connection.execute(query).fetchall(), sql)
    assert broken == {"a_b": 2, "a": 1}
    assert rule.failing_rows("  \n") == ""


def test_dagster_is_told_of_each_thing_in_the_place_of_its_test(manifest: Manifest) -> None:
    content = told_apart(manifest)
    tests = {name for name, node in content["nodes"].items() if node["resource_type"] == "test"}
    assert {parent_test(unique_id) for unique_id in tests} == {
        name for name, node in manifest.content["nodes"].items() if node["resource_type"] == "test"
    }
    for each in ("parent_map", "child_map"):
        assert {name for name in content[each] if name.startswith("test.")} == tests
    told = {child for children in content["child_map"].values() for child in children}
    assert {name for name in told if name.startswith("test.")} == tests


def test_requests_for_the_erasure_of_nobody_hold_no_release_back() -> None:
    """Whose rows were erased from the raw files as well is unknown; a broken request is another."""
    path = PROJECT_DIR / "tests" / "dbt" / "assert_quarantined_share_is_below_limit.sql"
    query = path.read_text(encoding="utf-8").replace(" as string)", " as varchar)")
    query = re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", query)
    query = re.sub(r"\{\{ var\(.max_quarantined_share.\) \}\}", "0.01", query)
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table row_reconciliation as
            from (values ('erasure_requests', 2, 2), ('payments', 100, 1), ('titles', 100, 2))
            as rows(table_name, raw_rows, quarantined_rows);
            create table quarantined_rows as
            from (values
                ('erasure_requests', 'missing_reference'),
                ('erasure_requests', 'missing_reference'),
                ('payments', 'missing_reference'), ('titles', 'missing_reference'),
                ('titles', 'missing_reference')
            ) as rows(table_name, rule)
            """
        )
        refused = f"select table_name from ({query}) order by 1"
        assert connection.execute(refused).fetchall() == [("titles",)]
        connection.execute("update quarantined_rows set rule = 'null_value'")
        assert connection.execute(refused).fetchall() == [("erasure_requests",), ("titles",)]
