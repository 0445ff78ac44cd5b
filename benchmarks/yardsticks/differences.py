"""Where the movements of the other ways differ from ours, counted by cause."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from benchmarks.yardsticks.ways import FOLDER, INPUTS, MOVEMENTS, SCHEMA, Way

# floats are rounded to 4 places before they are multiplied, added up and rounded again
PANDAS_TOLERANCE = 0.0002

COMPARED = {
    "ours": f"marts.{MOVEMENTS}",
    "spine": f"{SCHEMA}.{Way.SPINE}",
    "pandas": f"{SCHEMA}.{Way.PANDAS}",
    "states": "intermediate.int_subscriptions__states",
    "stretches": "intermediate.int_subscriptions__stretches",
    "clock": INPUTS["clock"],
}

SAME = "same"
UNEXPLAINED = "unexplained"

CAUSES = {
    SAME: "one movement, of the same category and amount",
    "fx": "a month's new rate is a movement of its own in ours, apart from what the customer did;"
    " in the spine it is an expansion or a contraction, or is hidden in another movement",
    "pause": "a pause, its end, or a churn out of it; in the spine a churn and a reactivation",
    "unpaid": "ours ends when the days of grace are over; the spine when the subscription does",
    "bridged": "a gap of a day or less over a month's end, or a stop whose grace still runs:"
    " nothing in ours, a churn (and a reactivation) in the spine",
    "within a month": "several movements in one month, of which the spine sees the sum, or nothing",
    "never seen before": "the earlier lifetime lay between two months' ends, and the return is new"
    " in the spine",
    UNEXPLAINED: "none of these",
}


@dataclass(frozen=True)
class Difference:
    """How many subscribers' months have one cause, with the movements and the money in them."""

    cause: str
    subscriber_months: int
    our_movements: int
    spine_movements: int
    our_change: Decimal
    spine_change: Decimal


@dataclass(frozen=True)
class Comparison:
    """All months in which ours or the spine has a movement, and how far pandas is from the spine.

    `pandas_differs` counts movements that only one of the two has, or with another amount.
    """

    differences: tuple[Difference, ...]
    pandas_differs: int

    def count(self, cause: str) -> int:
        """Return the months of one cause; 0 where there are none."""
        return sum(one.subscriber_months for one in self.differences if one.cause == cause)


def compare(build_file: Path) -> Comparison:
    """Return how the three ways differ, whose tables are in this database."""
    with duckdb.connect(str(build_file)) as connection:
        for name, relation in COMPARED.items():
            connection.execute(f"create temporary view {name} as select * from {relation}")
        query = (FOLDER / "differences.sql").read_text(encoding="utf-8")
        differences = tuple(Difference(*row) for row in connection.execute(query).fetchall())
        found = connection.execute(
            "select count(*) from spine full join pandas on"
            " spine.subscriber_id = pandas.subscriber_id"
            " and spine.month_start = pandas.month_start and spine.category = pandas.category"
            " where coalesce(abs(spine.mrr_change_amount - pandas.mrr_change_amount), 1) > ?",
            [PANDAS_TOLERANCE],
        ).fetchall()
    return Comparison(differences, int(found[0][0]))
