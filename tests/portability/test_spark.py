import json
from pathlib import Path

import pytest

from tests.portability import spark


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("select epoch_us(a) as b from t", "no function `epoch_us`"),
        ("select strftime(a, '%Y') as b from t", "no function `strftime`"),
        ("select list_aggregate(a, 'sum') as b from t", "no function `list_aggregate`"),
        ("select unnest(a) as b from t", "no function `unnest`"),
        ("select a from read_parquet('x')", "no function `read_parquet`"),
        ("select distinct on (a) a, b from t", "no function `on`"),
        ("select a // b as c from t", "//"),
        ("select * exclude (a) from t", "exclude"),
        ("select [x + 1 for x in a] as b from t", "for"),
        ("select [1, 2] as b", "a list in square brackets"),
        ("select {'a': 1} as b", "a struct in curly brackets"),
        ("select a[1:2] as b from t", "a slice"),
        ("select cast(a as hugeint) as b from t", "hugeint"),
        ("select cast(a as varchar) as b from t", "varchar"),
        ("select cast(a as double precision) as b from t", "no such type"),
        ("select cast(a as int[]) as b from t", "no such type"),
        ("select decimal '1.2' as b", "no literal of that type"),
        ("select array_agg(a order by b) as c from t", "an order inside"),
        ("select last_value(a ignore nulls) over (order by b) as c from t", "after the brackets"),
        ("select date_diff('day', a, b) as c from t", "without quotes"),
        ("select extract(epoch from a) as b from t", "extracts no `epoch`"),
        ("select date_part('epoch', a) as b from t", "extracts no `'epoch'`"),
        ("select a at time zone 'UTC' as b from t", "at time zone"),
        ("select t.a from t asof join u on t.a >= u.b", "no asof join"),
        ('select "a" as b from t', "double quotes"),
        ('select a as "b" from t', "double quotes"),
        ("select a from 'x.parquet'", "a file in the place of a table"),
        ("select a ~ 'x' as b from t", "no operator `~`"),
        ("select list_transform(a, lambda x: x + 1) as b from t", "no function `list_transform`"),
        ("select a + interval (b) day as c from t", "interval"),
        (
            "select a from t group by a, b "
            "qualify row_number() over (partition by a order by count(*), b) = 1",
            "no `count` of a group in `qualify`",
        ),
    ],
)
def test_what_spark_would_refuse_is_named(sql: str, complaint: str) -> None:
    faults = spark.faults_of_spark(sql)

    assert any(complaint in fault.what for fault in faults), faults


@pytest.mark.parametrize(
    "sql",
    [
        "with t as (select 1 as a) select * from t",
        "select t.* from t",
        "select cast(a as decimal(18, 4)) as b from t",
        "select cast(a as timestamp) + interval 1 day as b from t",
        "select timestamp '1970-01-01 00:00:00' as a, date '2024-02-29' as b",
        "select extract(year from a) as b, date_part('month', a) as c from t",
        "select explode(sequence(a, b, interval 1 day)) as c from t",
        "select sum(a) filter (where b > 0) as c from t group by d",
        "select a from t qualify row_number() over (partition by b order by c, d) = 1",
        "select a from t qualify max(b) over (partition by c) = b",
        "select last_value(a) ignore nulls over (order by b) as c from t",
        "select a is not distinct from b as c from t",
        "select case when a is distinct from b then 1 else 0 end as c from t",
        "select datediff(b, a) as c, date_diff(day, a, b) as d from t",
        "select max_by(a, b) as c from t group by d",
        "select a div b as c, a || 'it''s' as d from t",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) "
        "select * from r",
        "select sum(a) over (partition by b order by c rows between unbounded preceding "
        "and 1 preceding) as d from t",
        "select a from t left anti join u on t.a = u.b",
        "select a from t where exists (select 1 from u where u.a = t.a)",
    ],
)
def test_what_spark_takes_passes(sql: str) -> None:
    assert spark.faults_of_spark(sql) == []


def test_a_fault_tells_its_line() -> None:
    faults = spark.faults_of_spark("select\n    a,\n    epoch_ms(b) as c\nfrom t\n")

    assert [fault.line for fault in faults] == [3]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("select log(a) as b\nfrom t", [1]),
        ("select\n    concat(a, b) as c\nfrom t", [2]),
        ("-- concat(a, b)\nselect a || b as c from t", []),
        ("{# log(a) #}\nselect ln(a) as b from t", []),
        ("select {{ date_diff(a, b) }} as c from t", []),
        ('select {{ days_between("date_add(a, 1)", "b") }} as c from t', [1]),
        ("select a[1] as b from t", [1]),
        ("select a ^ 2 as b from t", [1]),
        (r"select a like '\d' as b from t", [1]),
    ],
)
def test_what_the_engines_read_differently_is_named(text: str, lines: list[int]) -> None:
    assert [fault.line for fault in spark.faults_of_meaning(text)] == lines


def test_only_a_macro_that_is_dispatched_may_speak_for_one_engine() -> None:
    text = (
        "{% macro spark__days(a, b) -%}\n    datediff({{ b }}, {{ a }})\n{%- endmacro %}\n"
        "{% macro weeks(a, b) -%}\n    datediff({{ b }}, {{ a }}) / 7\n{%- endmacro %}\n"
    )

    faults = spark.faults_of_meaning(spark.undispatched(text))

    assert [fault.line for fault in faults] == [5]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project with one macro that is dispatched, and no models."""
    settings = {
        "name": "small",
        "profile": "small",
        "flags": {"send_anonymous_usage_stats": False},
        "vars": {"reporting_timezone": "UTC"},
    }
    outputs = {
        spark.TARGET: {"type": "spark", "method": "session", "host": "none", "schema": "small"}
    }
    macro = (
        "{% macro microseconds(a) %}{{ return(adapter.dispatch('microseconds')(a)) }}{% endmacro %}"
        "{% macro duckdb__microseconds(a) %}epoch_us({{ a }}){% endmacro %}"
        "{% macro spark__microseconds(a) %}unix_micros({{ a }}){% endmacro %}"
    )
    # JSON is YAML too
    (tmp_path / "dbt_project.yml").write_text(json.dumps(settings))
    (tmp_path / "profiles.yml").write_text(
        json.dumps({"small": {"target": spark.TARGET, "outputs": outputs}})
    )
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "microseconds.sql").write_text(macro)
    (tmp_path / "models").mkdir()
    return tmp_path


def test_a_project_is_rendered_as_spark_will_see_it(project: Path) -> None:
    models = project / "models"
    (models / "portable.sql").write_text("select {{ microseconds('a') }} as b from t")
    (models / "bound.sql").write_text("select epoch_us(a) as b from t")
    (models / "by_zone.sql").write_text(
        "select {% if var('reporting_timezone') == 'UTC' %}a{% else %}timezone('x', a){% endif %}"
        " as b from t"
    )
    (models / "growing.sql").write_text(
        "select a from t"
        "{% if env_var('TENURE_INCREMENT', '') == 'yes' %} where epoch_ms(a) > 0{% endif %}"
    )

    complaints = spark.check(project)

    assert complaints == [
        "models/bound.sql: Spark has no function `epoch_us` (line 1 of bound as compiled)",
        "models/growing.sql: Spark has no function `epoch_ms` (line 1 of growing as compiled)",
        "models/by_zone.sql: Spark has no function `timezone` (line 1 of by_zone as compiled)",
    ]
    assert spark.main([str(project)]) == 1
