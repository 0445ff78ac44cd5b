"""What each macro with an arm for either engine is given, and the query that asks for all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from orchestration.settings import PROJECT_DIR, environment

ARM = re.compile(r"\{%-?\s*macro (?:duckdb|spark)__(\w+)\(")

# by macro: selects of one column, `told`; nights on which clocks change, halves, signs, wide ones
CASES = {
    "divide_rounded": [
        f"select {{{{ divide_rounded('{numerator}', '{denominator}') }}}} as told"
        for numerator, denominator in (
            ("7", "2"),
            ("-7", "2"),
            ("1", "3"),
            ("-1", "3"),
            ("0", "9"),
            ("cast(1999999999999999999 as bigint)", "3"),
            ("cast(-2000000000000000000 as bigint)", "7"),
            ("cast(9000000000000000000 as bigint)", "cast(2000000000000000001 as bigint)"),
        )
    ],
    "value_at": [
        "select {{ value_at('amount', 'rate') }} as told from (select amount, rate,"
        " {{ trillionths('rate') }} as rate_trillionths from"
        f" (select cast({amount} as decimal(18, 4)) as amount,"
        f" cast({rate} as decimal(27, 18)) as rate) as given) as valued"
        for amount, rate in (
            ("9.99", "1"),
            ("0.0001", "0.5"),
            ("-0.0001", "0.5"),
            ("0.0001", "0.499999999999"),
            ("1", "3.000049999999999999"),
            ("-1", "3.00005"),
            ("-12345678.1234", "1.234567890123"),
            ("899.9999", "0.999999999999"),
            ("10000000", "0.00000097084496"),
            ("123456789.1234", "1234.567890123456"),
            ("1000", "123456789.5"),
            ("100000000000", "0.0000000000004"),
        )
    ],
    "microseconds_between": [
        f"select {{{{ microseconds_between(\"timestamp '{first}'\", \"timestamp '{last}'\") }}}}"
        " as told"
        for first, last in (
            ("2026-03-08 06:59:59.999999", "2026-03-08 07:00:00"),
            ("2026-11-01 05:30:00", "2026-11-01 07:30:00.000001"),
            ("1970-01-01 00:00:00", "9999-12-31 23:59:59"),
        )
    ],
    "sum_of_microseconds": [
        "select {{ sum_of_microseconds('cast(9000000000000000000 as bigint)') }} as told"
        f" from ({{{{ integer_series(1, {addends}) }}}}) as numbers"
        for addends in (1, 3)
    ],
    "days_between": [
        f"select {{{{ days_between(\"date '{first}'\", \"date '{last}'\") }}}} as told"
        for first, last in (("2024-02-28", "2024-03-01"), ("2026-03-01", "2026-02-01"))
    ],
    "local_timestamp": [
        f"select {{{{ {call}(\"timestamp '{instant}'\") }}}} as told"
        for call in ("local_timestamp", "local_date", "local_month")
        for instant in (
            "2026-03-08 06:59:59.5",
            "2026-03-08 07:00:00",
            "2026-11-01 05:59:59.999999",
            "2026-11-01 06:00:00",
            "2018-11-04 02:59:59",
            "2018-11-04 03:00:00",
        )
    ],
    "utc_timestamp": [
        *(
            f"select {{{{ utc_timestamp(\"timestamp '{time}'\") }}}} as told"
            for time in ("2026-03-08 01:59:59", "2026-03-08 03:00:00", "2026-11-01 12:00:00")
        ),
        *(
            f"select {{{{ first_instant(\"date '{day}'\") }}}} as told"
            for day in ("2026-03-08", "2026-11-01", "2018-11-04", "2018-02-18", "2026-01-01")
        ),
    ],
    "percentile": [
        f"select {{{{ percentile('number', {share}) }}}} as told"
        " from ({{ integer_series(1, 4) }}) as numbers"
        for share in ("0.5", "0.9")
    ],
    "day_series": [
        "select calendar_date as told from ({{ day_series(\"(select date '2024-02-28' as first_day,"
        " date '2024-03-01' as last_day) as days\", 'first_day', 'last_day') }}) as t"
    ],
    "integer_series": ["select number as told from ({{ integer_series(-1, 2) }}) as t"],
    "decimal_as_text": [
        f"select {{{{ decimal_as_text('cast({value} as decimal(27, 18))', 'decimal(27,18)') }}}}"
        " as told"
        for value in ("0", "0.000000000001", "-5.5", "12345678.000000000001")
    ],
    "key_hash": [
        "select {{ key_hash(\"'a'\") }} = {{ key_hash(\"'a'\") }} as told",
        "select {{ key_hash(\"'a'\") }} = {{ key_hash(\"'b'\") }} as told",
    ],
}

STATEMENTS = {
    "drop_forgotten",
    "forget_ground",
    "forget_keys_in_question",
    "forget_touched",
    "forget_touched_dates",
    "is_judged_again",
    "is_of_key_portion",
    "is_of_portion",
    "is_read_of_portion",
    "know_touched_dates",
    "literal",
    "load_csv_rows",
    "may_be_of_portion",
    "of_engine",
    "within_touched_dates",
}


def dispatched(folder: Path) -> set[str]:
    """The macros that have an arm for one of the engines."""
    return {
        name
        for path in folder.rglob("*.sql")
        for name in ARM.findall(path.read_text(encoding="utf-8"))
    }


def macros_alone(folder: Path) -> Path:
    """A project with nothing but the macros, parsed in a moment; made where it is missing."""
    if folder.exists():
        return folder
    whole = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    kept = {key: whole[key] for key in ("name", "version", "profile", "flags", "vars")}
    folder.mkdir()
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    (folder / "macros").symlink_to(PROJECT_DIR / "macros")
    return folder


def compiled(target: str, zone: str, folder: Path) -> str:
    """One query for all cases as a target's engine speaks it: macro, number of the case, rows."""
    query = "\nunion all\n".join(
        f"select '{macro}' as macro, {number} as case_number, cast(told as string) as told"
        f" from ({select}) as case_{number}"
        for macro, selects in CASES.items()
        for number, select in enumerate(selects)
    )
    compiling = ["compile", "--inline", f"select * from ({query}) as cases order by 1, 2, 3"]
    outcome = dbt(compiling, target, folder, {"reporting_timezone": zone}, parsed(target, folder))
    # dbt's results have no common public type
    results: Any = outcome.result
    (result,) = results
    return str(result.node.compiled_code)


@cache
def parsed(target: str, folder: Path) -> Manifest:
    """The macros, parsed once for all zones: what is read out of them hangs on none."""
    return cast("Manifest", dbt(["parse"], target, folder, {}).result)


def dbt(
    command: list[str],
    target: str,
    folder: Path,
    variables: Mapping[str, str],
    manifest: Manifest | None = None,
) -> dbtRunnerResult:
    """What comes of a command on the macros alone."""
    project = macros_alone(folder / "macros_alone")
    arguments = ["--quiet", *command]
    arguments += ["--project-dir", str(project), "--profiles-dir", str(PROJECT_DIR)]
    arguments += ["--target", target, "--target-path", str(folder / target)]
    arguments += ["--log-path", str(folder), "--vars", json.dumps(variables)]
    with environment(TENURE_WAREHOUSE=str(folder)):
        # to compile a query adds it to what was parsed
        outcome = dbtRunner(manifest=deepcopy(manifest)).invoke(arguments)
    assert outcome.success, outcome.exception
    return outcome
