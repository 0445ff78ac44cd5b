"""What the tests build from: raw files of the contract, and a dbt project of a few models.

The small project takes a second where the real one takes ten. It has an input test, an audit test,
a test that only warns, and an optional raw table.
"""

import shutil
import textwrap
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.database.sql_text import quoted_text
from orchestration.raw.contract import RawContract
from orchestration.releases import audit
from orchestration.settings import PROJECT_DIR

SAMPLE_VALUES = {
    "string": "'text'",
    "bigint": "7",
    "timestamp": "timestamp '2024-02-29 12:30:00.25'",
    "date": "date '2024-02-29'",
    "boolean": "true",
    "decimal": "1.0825",
}

FILES = {
    "dbt_project.yml": """
        name: tenure
        version: 9.8.7
        profile: tenure
        flags: {send_anonymous_usage_stats: false, require_generic_test_arguments_property: true}
        vars:
          as_of: null
          reporting_currency: USD
          reporting_timezone: UTC
          past_due_grace_days: 28
          churn_grace_hours: 24
          max_quarantined_share: 0.01
        test-paths: [tests/dbt]
        models:
          tenure:
            staging: {+schema: staging, +materialized: table}
            marts: {+schema: marts, +materialized: table, +contract: {enforced: true}}
            quality: {+schema: quality, +materialized: table}
        """,
    "models/staging/people/_people__sources.yml": """
        sources:
          - name: raw
            schema: raw
            tables:
              - name: people
                config: {meta: {is_required: true, key: [person_id], event_time: null}}
                columns:
                  - {name: person_id, data_type: string}
                  - {name: age, data_type: bigint, config: {meta: {is_nullable: true}}}
                  - {name: recorded_at, data_type: timestamp}
              - name: visits
                config: {meta: {is_required: false, key: [visit_id], event_time: null}}
                columns:
                  - {name: visit_id, data_type: string}
                  - {name: person_id, data_type: string}
                  - {name: recorded_at, data_type: timestamp}
        """,
    "models/staging/stg_clock.sql": """
        select
            {% if var('as_of') %} cast('{{ var("as_of") }}' as timestamp)
            {% else %} timestamp '2026-01-01 00:00:00' {% endif %} as as_of
        """,
    "models/staging/people/stg_people.sql": """
        select person_id, age, recorded_at from {{ source('raw', 'people') }}
        """,
    "models/marts/dim_people.sql": """
        select person_id, age from {{ ref('stg_people') }}
        """,
    "models/marts/dim_people.yml": """
        models:
          - name: dim_people
            description: "One row per person; it's here."
            constraints: [{type: primary_key, columns: [person_id]}]
            data_tests:
              - integrity:
                  name: integrity_dim_people
                  arguments: {primary_key: [person_id], never_negative: [age]}
            columns:
              - {name: person_id, data_type: varchar, description: "Identifies the person."}
              - name: age
                data_type: bigint
                data_tests:
                  - accepted_values:
                      arguments: {values: [1, 2, 3, 4, 5, 99], quote: false}
                      config: {severity: warn}
        """,
    "models/marts/visits_total.sql": """
        select count(*) as visits from {{ source('raw', 'visits') }}
        """,
    "models/marts/visits_total.yml": """
        models:
          - name: visits_total
            description: One row.
            columns: [{name: visits, data_type: bigint, description: Visits.}]
        """,
    "models/quality/row_reconciliation.sql": """
        select 'people' as table_name, count(*) as raw_rows, count(*) filter (where age = 99)
            as quarantined_rows
        from {{ ref('stg_people') }}
        """,
    "models/quality/quarantined_rows.sql": """
        select 'people' as table_name, 'methuselah' as rule, 'Nobody is that old' as reason
        from {{ ref('stg_people') }} where age = 99
        """,
    "tests/dbt/assert_ages_are_known.sql": """
        {{ config(meta={'fault': 'input', 'what_to_do': 'Add the age.'}) }}
        select 'no age of person ' || person_id as message
        from {{ ref('stg_people') }} where age is null
        """,
    "tests/dbt/assert_nobody_is_methuselah.sql": """
        select people.person_id from {{ ref('dim_people') }} as people
        cross join {{ ref('visits_total') }} as totals where people.age > 900
        """,
    "seeds/iso_currencies.csv": "currency,currency_name,minor_unit_digits\nUSD,US Dollar,2\n",
}


def write_small_project(root: Path) -> Path:
    """Writes the small dbt project to `root` and returns it."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    shutil.copy(PROJECT_DIR / "profiles.yml", root / "profiles.yml")
    (root / "macros").mkdir()
    shutil.copy(PROJECT_DIR / "macros" / "generate_schema_name.sql", root / "macros")
    shutil.copytree(PROJECT_DIR / "tests" / "dbt" / "generic", root / "tests" / "dbt" / "generic")
    return root


def write_suspicion(small_project: Path) -> None:
    """Lets the small project warn of ages that are unlikely."""
    (small_project / "tests" / "dbt" / "assert_nobody_is_very_old.sql").write_text(
        "{{ config(severity='warn', meta={'fault': 'input', 'what_to_do': 'Ask again.'}) }}\n"
        "select 'an age of ' || cast(age as varchar) || ' is unlikely' as message"
        " from {{ ref('stg_people') }} where age > 100",
        encoding="utf-8",
    )


def write_newest_clock(small_project: Path) -> None:
    """Lets the small project's horizon be that of its newest row."""
    (small_project / "models" / "staging" / "stg_clock.sql").write_text(
        "select {% if var('as_of') %} cast('{{ var('as_of') }}' as timestamp) {% else %}"
        " (select max(recorded_at) + interval 1 second from {{ source('raw', 'people') }})"
        " {% endif %} as as_of",
        encoding="utf-8",
    )


def damage(path: Path) -> None:
    """Makes a database's file one that is none any more."""
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)


def write_people(raw: Path, *, ages: list[int | None]) -> None:
    folder = raw / "people"
    folder.mkdir(parents=True, exist_ok=True)
    rows = "".join(
        f"p{number},{'' if age is None else age},2025-06-01 00:00:00\n"
        for number, age in enumerate(ages, start=1)
    )
    (folder / "people.csv").write_text(f"person_id,age,recorded_at\n{rows}", encoding="utf-8")


def write_undecodable(raw: Path, text: str) -> Path:
    """Writes a Parquet file of a person whose id is the text and a byte that is no UTF-8."""
    content = pa.array([text.encode() + b"\xff"], pa.binary()).buffers()
    rows = pa.table(
        {
            "person_id": pa.Array.from_buffers(pa.string(), 1, content),
            "age": pa.array([1]),
            "recorded_at": pa.array([0], pa.timestamp("us")),
        }
    )
    path = raw / "people" / "undecodable.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path)
    return path


def write_table(
    path: Path, table: str, contract: RawContract, *, rows: int = 1, **replaced: str | None
) -> None:
    """Writes a file of a table; `replaced` gives a column's SQL, or None to leave it out."""
    selected = []
    for column in contract.table(table).columns:
        sample = SAMPLE_VALUES[column.data_type.partition("(")[0]]
        expression = replaced.get(column.name, f"cast({sample} as {column.data_type})")
        if expression is not None:
            selected.append(f"{expression} as {column.name}")
    options = "format csv, header" if path.suffix == ".csv" else "format parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {', '.join(selected)} from range({rows}) as made(row))"
            f" to {quoted_text(str(path))} ({options})"
        )


def take_expectations_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets an audit plan and find nothing."""
    monkeypatch.setattr(audit, "planned_checks", tuple)
    monkeypatch.setattr(audit, "judge", lambda _warehouse: [])
    monkeypatch.setattr(audit, "preload", lambda: None)
