"""Closed months' figures that a release changes, against the release that stands before it.

What belongs here: which figures are compared, and the comparison. What does not: why a figure
changed; `quality.releases` says from which raw files and with which vars each release was made.
"""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from orchestration.manifest import HeadlineFigure
from orchestration.sql_text import quoted_name, quoted_text

RESTATEMENT_COLUMNS: Mapping[str, tuple[str, str]] = {
    "release_id": ("varchar", "Release that changed the figure."),
    "mart_name": ("varchar", "Mart that the figure stands in."),
    "figure": ("varchar", "Column of the mart, summed over all rows of the month."),
    "month_start": ("date", "First day of the month, which was over in the release before."),
    "previous_value": ("decimal(18,4)", "What it was; null where the month had no row."),
    "current_value": ("decimal(18,4)", "What it is; null where the month has no row any more."),
    "previous_release_id": ("varchar", "Release that stood before."),
    "previous_as_of": ("timestamp", "Knowledge horizon of that release, UTC."),
    "as_of": ("timestamp", "Knowledge horizon of this release, UTC."),
    "restated_at": ("timestamp", "When this release was made, UTC."),
}


def insert_restatements(
    connection: duckdb.DuckDBPyConnection,
    figures: tuple[HeadlineFigure, ...],
    *,
    target: str,
    catalog: str,
    earlier: str,
    release_id: str,
    previous_release_id: str,
    as_of: datetime | None,
    previous_as_of: datetime | None,
    restated_at: datetime,
) -> None:
    """Adds to `target` each figure of a month closed in `earlier` that differs in `catalog`.

    Both catalogs are attached releases; a figure of a mart that the earlier one lacks is new, and
    nothing is said of it.
    """
    for figure in figures:
        if not _has_figure(connection, earlier, figure):
            continue
        now, then = (_monthly_sums(each, figure) for each in (catalog, earlier))
        connection.execute(
            f"""
            with now as ({now}), earlier as ({then}),
            closed as (select max(month_start) as last_month from earlier where is_complete)
            insert into {target} by name
            select
                ? as release_id,
                {quoted_text(figure.table)} as mart_name,
                {quoted_text(figure.column)} as figure,
                coalesce(now.month_start, earlier.month_start) as month_start,
                earlier.value as previous_value,
                now.value as current_value,
                ? as previous_release_id,
                ? as previous_as_of,
                ? as as_of,
                ? as restated_at
            from now
            full join earlier on now.month_start = earlier.month_start
            inner join closed on coalesce(now.month_start, earlier.month_start) <= last_month
            where now.value is distinct from earlier.value
            order by month_start
            """,
            [release_id, previous_release_id, previous_as_of, as_of, restated_at],
        )


def _monthly_sums(catalog: str, figure: HeadlineFigure) -> str:
    column = quoted_name(figure.column)
    return (
        f"select month_start, cast(sum({column}) as decimal(18, 4)) as value,"
        " bool_and(is_complete) as is_complete"
        f" from {quoted_name(catalog, figure.schema, figure.table)} group by month_start"
    )


def _has_figure(
    connection: duckdb.DuckDBPyConnection, catalog: str, figure: HeadlineFigure
) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_columns() where database_name = ? and schema_name = ?"
            " and table_name = ? and column_name = ?",
            [catalog, figure.schema, figure.table, figure.column],
        ).fetchall()
    )
