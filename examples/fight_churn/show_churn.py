"""Tells how many of each month's opening churned, from a release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

CHURN_BY_MONTH = """
    select
        month_start,
        cast(sum(opening_subscribers) as bigint) as opening_subscribers,
        cast(sum(churned_from_opening) as bigint) as churned_from_opening
    from marts.churn_monthly
    where is_complete
    group by month_start
    order by month_start
"""


@dataclass(frozen=True)
class MonthOfChurn:
    """A complete month: who subscribed just before it, and how many of those left in it."""

    month_start: date
    opening_subscribers: int
    churned_from_opening: int

    @property
    def churn_rate(self) -> float | None:
        """Share of the opening that left, 0 to 1; None where there was nobody to leave."""
        if not self.opening_subscribers:
            return None
        return self.churned_from_opening / self.opening_subscribers


def churn_by_month(release: Path) -> list[MonthOfChurn]:
    """Return the complete months of the release, a DuckDB file, oldest first."""
    with duckdb.connect(release, read_only=True) as connection:
        return [MonthOfChurn(*row) for row in connection.execute(CHURN_BY_MONTH).fetchall()]


def main(
    *,
    warehouse: Annotated[Path, typer.Option(help="Folder that `tenure run` released into.")],
) -> None:
    """Print churned of opening for every complete month."""
    release = warehouse / "tenure.duckdb"
    if not release.is_file():
        Console(stderr=True).print(
            f"There is no release in {warehouse.absolute()}: build one with `tenure run`.",
            style="red",
            soft_wrap=True,
            markup=False,
        )
        raise typer.Exit(code=2)
    table = Table("month", "opening", "churned", "rate", title="Churned of opening")
    for column in table.columns[1:]:
        column.justify = "right"
    for month in churn_by_month(release):
        rate = month.churn_rate
        table.add_row(
            f"{month.month_start:%B %Y}",
            f"{month.opening_subscribers:,}",
            f"{month.churned_from_opening:,}",
            "" if rate is None else f"{rate:.2%}",
        )
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
