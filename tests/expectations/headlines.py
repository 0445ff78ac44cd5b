"""Judges the headlines of each month of a release as they would have been judged when it ended.

python -m tests.expectations.headlines demo/warehouse/tenure.duckdb
"""

import sys
from pathlib import Path

import duckdb
from rich.console import Console

from expectations.frames import release_frame
from expectations.release import release_suite
from orchestration.database.sql_text import quoted_text

FRAME = "release_headline"
MARTS = ("churn_monthly", "mrr_bridge_monthly", "revenue_monthly")


def judged_and_alarms(release: Path) -> tuple[int, list[str]]:
    """How many verdicts the months of a release gave, and each of them that was an alarm."""
    bands = {
        each.kwargs["column"]: (each.name, each.kwargs["min_value"], each.kwargs["max_value"])
        for each in release_suite().expectations
        if each.frame == FRAME
    }
    judged, alarms = 0, []
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted_text(str(release))} as held (read_only)")
        connection.execute("create schema marts")
        months = connection.execute(
            "select distinct month_start from held.marts.churn_monthly where is_complete order by 1"
        ).fetchall()
        for (month,) in months:
            for mart in MARTS:
                connection.execute(
                    f"create or replace view marts.{mart} as from held.marts.{mart}"
                    f" where month_start <= date '{month}'"
                )
            frame = release_frame(connection, FRAME)
            for figure, (name, low, high) in bands.items():
                for value in frame[figure].dropna():
                    judged += 1
                    if not low <= value <= high:
                        alarms.append(f"{name} at {month:%Y-%m}: {value:.3f}")
    return judged, alarms


def main() -> int:
    """Prints the verdicts of each release that is named; returns the exit status."""
    console = Console(soft_wrap=True, highlight=False)
    for name in sys.argv[1:]:
        judged, alarms = judged_and_alarms(Path(name))
        console.print(f"{name}: {judged} judged, {len(alarms)} alarms", *alarms)
    return 0


if __name__ == "__main__":
    sys.exit(main())
