from __future__ import annotations

import duckdb
import pytest
import sqlglot

from tests.mutants.__main__ import mutants, unnoticed
from tests.mutants.changes import changed, sites
from tests.mutants.unit_tests import UnitTest, passes

MODEL = """
    with long_lifetimes as (
        select * from lifetimes where tenure_days >= 30
    )
    select * from long_lifetimes
"""


def unit_test(*tenures: int, expected: int, limit: int = 30) -> UnitTest:
    """A unit test as dbt writes it: of the lifetimes given so many are long."""
    given = " union all ".join(f"select {tenure} as tenure_days" for tenure in tenures)
    return UnitTest(
        "test",
        f"""
        with dbt_internal_unit_test_actual as (
            select tenure_days, 'actual' as actual_or_expected from (
                with __dbt__cte__lifetimes as ({given}),
                lifetimes as (select * from __dbt__cte__lifetimes),
                long_lifetimes as (select * from lifetimes where tenure_days >= {limit})
                select * from long_lifetimes
            ) as actual
        ),
        dbt_internal_unit_test_expected as (
            select tenure_days, 'expected' as actual_or_expected
            from ({given}) as expected order by tenure_days desc limit {expected}
        )
        select * from dbt_internal_unit_test_actual
        union all
        select * from dbt_internal_unit_test_expected
        """,
        frozenset({str(limit)}),
    )


def not_noticed(*tests: UnitTest, source: str = MODEL) -> set[str]:
    with duckdb.connect(":memory:") as connection:
        assert all(passes(connection, test.query) for test in tests)
        left = unnoticed(connection, mutants(tests, source))
        return {f"{each.site.kind}: {each.site.text}" for each in left}


def test_a_limit_is_tried_by_who_is_at_it() -> None:
    """31 days are long and 1 is not: that 30 is the limit, and is long itself, is not said."""
    assert not_noticed(unit_test(31, 1, expected=1)) == {
        "another comparison or sign: tenure_days >= 30",
        "one more: 30",
    }
    assert not_noticed(unit_test(30, 29, expected=1)) == set()


def test_what_one_of_several_tests_notices_is_noticed() -> None:
    assert not_noticed(unit_test(31, expected=1), unit_test(30, 29, expected=1)) == set()


def test_with_another_var_a_model_is_the_same_model() -> None:
    both = unit_test(31, 1, expected=1), unit_test(8, 7, expected=1, limit=8)
    assert not_noticed(*both, source=MODEL.replace("30", "{{ var('limit') }}")) == set()


def test_what_a_macro_wrote_is_left_as_it_is() -> None:
    """The limit is not in the model's own text, so that only the whole condition is looked at."""
    source = MODEL.replace("30", "{{ limit() }}")
    assert not_noticed(unit_test(31, 1, expected=1), source=source) == set()


@pytest.mark.parametrize(
    ("query", "kind", "expected"),
    [
        ("select a < b", "another comparison or sign", "SELECT a <= b"),
        ("select a - b", "another comparison or sign", "SELECT a + b"),
        ("select min(a)", "the opposite end", "SELECT MAX(a)"),
        ("select greatest(a, b, c)", "the opposite end", "SELECT LEAST(a, b, c)"),
        ("select a and b", "without the left side", "SELECT b"),
        ("select a or b", "without the right side", "SELECT a"),
        ("select a union all select b", "without the left side", "SELECT b"),
        ("select not a", "without", "SELECT a"),
        ("select coalesce(a, b)", "without", "SELECT a"),
        ("select count(*) filter (where a)", "without", "SELECT COUNT(*)"),
        ("select a from t where b", "without", "SELECT a FROM t"),
        (
            "select case when a then b else c end",
            "never this case",
            "SELECT CASE WHEN FALSE THEN b ELSE c END",
        ),
        ("select a from t order by b", "the other way round", "SELECT a FROM t ORDER BY b DESC"),
        ("select a from t order by b, c", "without the last key", "SELECT a FROM t ORDER BY b"),
        (
            "select sum(a) over (partition by b, c)",
            "without the last key of its partition",
            "SELECT SUM(a) OVER (PARTITION BY b)",
        ),
        ("select a from t left join u on b", "an inner join", "SELECT a FROM t JOIN u ON b"),
        ("select count(distinct a)", "not distinct", "SELECT COUNT(a)"),
        ("select a * 3", "one more", "SELECT a * 4"),
    ],
)
def test_each_kind_of_change(query: str, kind: str, expected: str) -> None:
    parsed = sqlglot.parse_one(query, read="duckdb")
    made = [
        changed(parsed, site.number).sql("duckdb") for site in sites(parsed) if site.kind == kind
    ]
    assert expected in made
    assert parsed.sql("duckdb") == sqlglot.parse_one(query, read="duckdb").sql("duckdb")


def test_the_digits_of_a_type_are_no_number_to_change() -> None:
    assert sites(sqlglot.parse_one("select cast(a as decimal(18, 4))", read="duckdb")) == []


def test_a_change_that_breaks_the_query_is_noticed() -> None:
    with duckdb.connect(":memory:") as connection:
        assert not passes(connection, "select nothing from nowhere")
