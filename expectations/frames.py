"""The small frames that suites are judged on, each the answer of one query of the folder `sql`.

The engine aggregates; what comes here is a row a judged day, month, cohort or stratum, whatever
the volume of the service. Figures are float64, nulls NaN, which is not judged; what names a row is
text.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

QUERIES = Path(__file__).parent / "sql"


def feed_frames(
    connection: duckdb.DuckDBPyConnection, as_of: datetime
) -> dict[str, dict[str, pd.DataFrame]]:
    """The frames of each raw table that ever got a row, by table name and frame name.

    `days` has a row a judged UTC day: how its delivery compares with the usual, and a column
    `<metric>_<column>` for each minimum and maximum and for the share of unlisted values. `mix` has
    a row a day, column and category, `means` one a day and currency with a column
    `mean_ratio_<column>` for each column with a sum.

    Judged are the last three complete days, so that what arrived on a Friday is still seen on
    Monday, and the rows of the day that is not over, but not how many they are.

    Args:
        connection: A database with `quality.feed_profile`.
        as_of: The knowledge horizon, with its time zone.
    """
    days = _query(connection, "feed_days", as_of)
    limits = _query(connection, "feed_limits", as_of)
    mix = _query(connection, "feed_mix", as_of)
    means = _query(connection, "feed_means", as_of)
    return {
        str(table_name): {
            "days": of_table.drop(columns="table_name").merge(
                _wide(limits, str(table_name), ["profile_date"]), on="profile_date", how="left"
            ),
            "mix": mix[mix["table_name"] == table_name].drop(columns="table_name"),
            "means": _wide(means, str(table_name), ["profile_date", "category"]),
        }
        for table_name, of_table in days.groupby("table_name")
    }


def standing_frames(
    connection: duckdb.DuckDBPyConnection, accepted_before: Mapping[str, int]
) -> dict[str, pd.DataFrame]:
    """How many rows count now, of each raw table of which some did in a kept release.

    Args:
        connection: A database with `quality.row_reconciliation`.
        accepted_before: The most rows by raw table that a kept release was made of.
    """
    accepted = dict(
        connection.execute(
            "select table_name, accepted_rows from quality.row_reconciliation"
        ).fetchall()
    )
    return {
        table_name: pd.DataFrame(
            {
                "before": [f"{before:,} rows in a kept release"],
                "accepted_rows": [float(accepted.get(table_name, 0))],
            }
        )
        for table_name, before in accepted_before.items()
        if before
    }


def release_frame(connection: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    """The frame of the released marts that the query of this name gives."""
    return _query(connection, name)


def _query(
    connection: duckdb.DuckDBPyConnection, name: str, as_of: datetime | None = None
) -> pd.DataFrame:
    sql = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    if as_of is None:
        return connection.execute(sql).df()
    if as_of.tzinfo is None:
        raise ValueError(f"as_of {as_of} has no time zone: say datetime(…, tzinfo=UTC)")
    return connection.execute(sql, {"as_of": as_of.astimezone(UTC).replace(tzinfo=None)}).df()


def _wide(figures: pd.DataFrame, table_name: str, index: list[str]) -> pd.DataFrame:
    """One table's figures with a column each, a row for each value of the index columns."""
    of_table = figures[figures["table_name"] == table_name]
    wide = of_table.pivot(index=index, columns="figure", values="value")
    return wide.rename_axis(columns=None).reset_index()
