"""Releases written by hand, with the columns that the marts' contracts name."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.database.bookkeeping import CHECK_COLUMNS
from orchestration.releases.candidate import RELEASE_COLUMNS
from orchestration.releases.restatements import CAUSE_COLUMNS, RESTATEMENT_COLUMNS
from orchestration.settings import PROJECT_DIR

DEFAULTS = {"reporting_currency": "USD", "reporting_timezone": "UTC"}

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)

Row = Mapping[str, Any]


@cache
def contracts() -> dict[str, dict[str, str]]:
    """The columns of every released table with their types, by `schema.table`."""
    found: dict[str, dict[str, str]] = {}
    folders = {
        "marts": PROJECT_DIR / "models" / "marts",
        "quality": PROJECT_DIR / "models" / "quality",
    }
    for schema, folder in folders.items():
        for path in sorted(folder.rglob("*.yml")):
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            for model in document.get("models", []):
                columns = {each["name"]: each.get("data_type") for each in model.get("columns", [])}
                if columns and all(columns.values()):
                    found[f"{schema}.{model['name']}"] = {
                        name: "varchar" if kind == "string" else str(kind)
                        for name, kind in columns.items()
                    }
    own = {
        "quality.releases": RELEASE_COLUMNS,
        "quality.check_results": CHECK_COLUMNS,
        "quality.kpi_restatements": RESTATEMENT_COLUMNS,
        "quality.restatement_causes": CAUSE_COLUMNS,
    }
    for table, described in own.items():
        found[table] = {name: kind for name, (kind, _) in described.items()}
    return found


@cache
def keys() -> dict[str, tuple[str, ...]]:
    """The columns of every released table's key; all of them where the YAML names none."""
    found = {table: tuple(columns) for table, columns in contracts().items()}
    for path in sorted((PROJECT_DIR / "models" / "marts").rglob("*.yml")):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for model in document.get("models", []):
            for test in model.get("data_tests", []):
                if "integrity" in test:
                    found[f"marts.{model['name']}"] = tuple(
                        test["integrity"]["arguments"]["primary_key"]
                    )
    return found


def write_release(
    path: Path, rows: Mapping[str, Sequence[Row]], *, without: Sequence[str] = ()
) -> Path:
    """A release with these rows by table; every other released table is there and empty.

    A column that a row leaves out is null. Tables in `without` are missing.
    """
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create schema quality")
        for table, columns in contracts().items():
            if table in without:
                continue
            defined = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table {table} ({defined})")
    insert_rows(path, {table: each for table, each in rows.items() if table not in without})
    return path


def insert_rows(path: Path, rows: Mapping[str, Sequence[Row]]) -> None:
    """Adds rows to tables of a release; a column that a row leaves out is null."""
    with duckdb.connect(str(path)) as connection:
        for table, added in rows.items():
            for row in added:
                unknown = set(row) - set(contracts()[table])
                assert not unknown, f"{table} has no {unknown}"
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"insert into {table} ({names}) values ({marks})", [*row.values()]
                )


def releases(*, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    return [
        {
            "release_id": "20260510T000000Z",
            "released_at": "2026-05-10 00:00:00",
            "as_of": "2026-05-09 12:00:00",
            "raw_files": 7,
            "raw_rows": 1234,
            "project_version": "0.1.0",
            "parameters": json.dumps(parameters or {}),
            "row_counts": "{}",
        }
    ]


def cell(month: date, plan: str, country: str | None, channel: str) -> dict[str, Any]:
    return {
        "month_start": month,
        "plan_tier": plan,
        "country_code": country,
        "acquisition_channel": channel,
        "is_complete": month != MAY,
    }


def churn(
    of: Row,
    *,
    opening: int,
    new: int = 0,
    back: int = 0,
    moved_in: int = 0,
    moved_out: int = 0,
    left: tuple[int, int, int] = (0, 0, 0),
    from_opening: int | None = None,
) -> Row:
    """A row of `churn_monthly`; `left` are voluntary, involuntary and other."""
    churned = sum(left)
    return {
        **of,
        "opening_subscribers": opening,
        "new_subscribers": new,
        "reactivated_subscribers": back,
        "transferred_in": moved_in,
        "transferred_out": moved_out,
        "churned_subscribers": churned,
        "churned_from_opening": churned if from_opening is None else from_opening,
        "voluntary_churned_subscribers": left[0],
        "involuntary_churned_subscribers": left[1],
        "other_churned_subscribers": left[2],
        "closing_subscribers": opening + new + back + moved_in - moved_out - churned,
    }


BRIDGE_TERMS = (
    "new", "reactivation", "expansion", "resume", "contraction", "churn", "pause", "fx",
    "transfer_in", "transfer_out",
)  # fmt: skip


def bridge(of: Row, *, opening: str, closing: str, **terms: str) -> Row:
    """A row of `mrr_bridge_monthly`; terms that are left out are 0."""
    return {
        **of,
        "opening_mrr_amount": opening,
        **{f"{term}_mrr_amount": terms.get(term, "0") for term in BRIDGE_TERMS},
        "closing_mrr_amount": closing,
    }


def small_service(*, plan: str = "premium", country: str | None = "BR") -> dict[str, list[Row]]:
    """Two plans in two countries over two whole months and an open one.

    March: 100 of basic in US and 50 of the other plan. Of April's opening 150, 9 leave, and one of
    those who came in April leaves too: the churn rate is 9 ÷ 150, not 10 ÷ 150.
    """
    basic = [cell(month, "basic", "US", "organic") for month in (MARCH, APRIL, MAY)]
    other = [cell(month, plan, country, "social") for month in (MARCH, APRIL, MAY)]
    return {
        "quality.releases": releases(),
        "marts.churn_monthly": [
            churn(basic[0], opening=0, new=100),
            churn(basic[1], opening=100, new=20, moved_out=2, left=(5, 2, 0)),
            churn(basic[2], opening=111, new=3, left=(1, 0, 0)),
            churn(other[0], opening=0, new=50),
            churn(other[1], opening=50, back=4, moved_in=2, left=(2, 0, 1), from_opening=2),
            churn(other[2], opening=53),
        ],
        "marts.mrr_bridge_monthly": [
            bridge(basic[0], opening="0", new="1000.0000", closing="1000.0000"),
            bridge(
                basic[1],
                opening="1000.0000",
                new="200.1000",
                churn="-70.0500",
                transfer_out="-20.0000",
                pause="-10.0000",
                closing="1100.0500",
            ),
            bridge(
                basic[2], opening="1100.0500", new="30.0001", churn="-10.0000", closing="1120.0501"
            ),
            bridge(other[0], opening="0", new="1500.0000", closing="1500.0000"),
            bridge(
                other[1],
                opening="1500.0000",
                reactivation="120.0000",
                expansion="40.0000",
                churn="-90.0000",
                fx="-3.3333",
                transfer_in="20.0000",
                closing="1586.6667",
            ),
            bridge(other[2], opening="1586.6667", closing="1586.6667"),
        ],
        "marts.revenue_monthly": [
            {
                "month_start": month,
                "recognised_amount": recognised,
                "refunded_amount": refunded,
                "net_revenue_amount": net,
                "collected_amount": recognised,
                "uncollectible_amount": "0",
                "average_paying_subscribers": paying,
                "average_subscribers": paying + 10.0,
                "arppu_amount": arppu,
                "arpu_amount": None,
                "is_complete": month != MAY,
            }
            for month, recognised, refunded, net, paying, arppu in (
                (MARCH, "1250.0000", "50.0000", "1200.0000", 75.0, "16.0000"),
                (APRIL, "2600.0000", "0.0000", "2600.0000", 130.0, "20.0000"),
                (MAY, "700.0000", "0.0000", "700.0000", 140.0, "5.0000"),
            )
        ],
        "marts.retention_cohorts": [
            {
                "cohort_month": cohort,
                "months_since_start": month,
                "cohort_size": size,
                "retained_subscribers": retained,
                "never_lapsed_subscribers": never_lapsed,
                "retention_rate": None if retained is None else retained / size,
            }
            for cohort, month, size, retained, never_lapsed in (
                (MARCH, 0, 150, 150, 150),
                (MARCH, 1, 150, 144, 141),
                (MARCH, 2, 150, None, None),
                (APRIL, 0, 20, 19, 19),
                (APRIL, 1, 20, None, None),
                (MAY, 0, 3, None, None),
            )
        ],
        "marts.retention_cohorts_by_stratum": [
            {
                "stratum": stratum,
                "stratum_value": value,
                "cohort_month": MARCH,
                "months_since_start": month,
                "cohort_size": size,
                "retained_subscribers": retained,
                "never_lapsed_subscribers": retained,
                "retention_rate": retained / size,
            }
            for stratum, value, month, size, retained in (
                ("plan_tier", "basic", 0, 100, 100),
                ("plan_tier", "basic", 1, 100, 93),
                ("channel", "social", 0, 50, 50),
                ("channel", "social", 1, 50, 48),
            )
        ],
    }


class Page:
    """What is in a rendered page: its text, and the data that its scripts unpack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data: dict[str, Any] = json.loads(self.unpacked("data"))
        self.cube: Any = json.loads(self.unpacked("cube"))

    def unpacked(self, name: str) -> str:
        """The text that a packed element holds."""
        begin = self.text.index(">", self.text.index(f'id="{name}"')) + 1
        packed = self.text[begin : self.text.index("</script>", begin)]
        return gzip.decompress(base64.b64decode(packed)).decode("utf-8")

    def column(self, table: str, name: str) -> list[Any]:
        """The values of a column of one of the page's tables."""
        column = self.data["tables"][table]["columns"][name]
        if isinstance(column, list):
            return column
        return [None if at < 0 else column["known"][at] for at in column["at"]]

    def measure(self, name: str) -> list[list[float]]:
        """A measure of the cube: per month, per combination."""
        cube = self.cube
        packed = cube["measures"][name]
        width = len(cube["combinations"])
        values = packed["values"]
        if "steps" in packed:
            values = [0] * packed["size"]
            at = 0
            for step, value in zip(packed["steps"], packed["values"], strict=True):
                at += step
                values[at] = value
        return [values[row * width : (row + 1) * width] for row in range(len(self.data["months"]))]
