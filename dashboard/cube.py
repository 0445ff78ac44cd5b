"""MRR and subscribers by month, plan tier, country and channel, as small as a page can carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

CHURN = "marts.churn_monthly"
BRIDGE = "marts.mrr_bridge_monthly"

SUBSCRIBER_MEASURES = (
    "opening_subscribers",
    "new_subscribers",
    "reactivated_subscribers",
    "transferred_in",
    "transferred_out",
    "churned_subscribers",
    "churned_from_opening",
    "voluntary_churned_subscribers",
    "involuntary_churned_subscribers",
    "other_churned_subscribers",
    "closing_subscribers",
)
MRR_MEASURES = (
    "opening_mrr_amount",
    "new_mrr_amount",
    "reactivation_mrr_amount",
    "expansion_mrr_amount",
    "resume_mrr_amount",
    "contraction_mrr_amount",
    "churn_mrr_amount",
    "pause_mrr_amount",
    "fx_mrr_amount",
    "transfer_in_mrr_amount",
    "transfer_out_mrr_amount",
    "closing_mrr_amount",
)
MEASURES_OF: Mapping[str, tuple[str, ...]] = {CHURN: SUBSCRIBER_MEASURES, BRIDGE: MRR_MEASURES}

# how many members of a dimension can be kept by name, and down to how many each gives way in turn:
# countries first, then channels, then tiers, and all over again
KEPT = (200, 60, 30, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1, 0)
FOLDED_FIRST = ("country_code", "acquisition_channel", "plan_tier")
FLOORS = (5, 2, 0)


@dataclass(frozen=True)
class Dimension:
    """A dimension that the page can be filtered by.

    `members` are in the order of their MRR; the last one stands for `folded` members where these
    are not 0. None is a member without a name.
    """

    column: str
    members: tuple[str | None, ...]
    folded: int


@dataclass(frozen=True)
class Cube:
    """Measures by month and combination.

    `combinations` are positions in the members of the dimensions, in their order; a measure holds a
    value per month and combination, months first, and 0 where nobody was.
    """

    dimensions: tuple[Dimension, ...]
    combinations: tuple[tuple[int, ...], ...]
    measures: Mapping[str, Sequence[int | Decimal]]

    @property
    def cells(self) -> int:
        """How many values a measure has."""
        return max((len(values) for values in self.measures.values()), default=0)


def lay_cells(
    connection: duckdb.DuckDBPyConnection, present: frozenset[str], months: Sequence[date]
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Lays the cells of these months as `cells`; the marts they come from, and why one is not in.

    The variable `first_month` says from when on.
    """
    why_not = {}
    marts = []
    for name, mart in (("subscribers", CHURN), ("mrr", BRIDGE)):
        if mart not in present:
            why_not[name] = f"{mart} is not in this release."
        elif connection.execute(f"select 1 from {mart} limit 1").fetchone():
            marts.append(mart)
        else:
            why_not[name] = f"{mart} has no rows to show."
    if marts and months:
        _rank(connection, marts)
    return tuple(marts), why_not


def folded_cube(
    connection: duckdb.DuckDBPyConnection,
    marts: Sequence[str],
    months: Sequence[date],
    *,
    max_cells: int,
) -> Cube:
    """The cube of the cells that are laid, in at most so many of them: the smallest are folded."""
    return _folded(connection, marts, months, _fitting(connection, len(months), max_cells))


def _rank(connection: duckdb.DuckDBPyConnection, marts: Sequence[str]) -> None:
    measures = [measure for mart in marts for measure in MEASURES_OF[mart]]
    weight = "opening_mrr_amount" if BRIDGE in marts else "opening_subscribers"
    halves = []
    for mart in marts:
        own = ", ".join(
            measure if measure in MEASURES_OF[mart] else f"0 as {measure}" for measure in measures
        )
        halves.append(
            "select month_start, plan_tier, country_code, acquisition_channel,"
            f" {own} from {mart} where month_start >= getvariable('first_month')"
        )
    sums = ", ".join(f"sum({measure}) as {measure}" for measure in measures)
    connection.execute(
        "create or replace temp table cells as"
        " select month_start, plan_tier, country_code, acquisition_channel,"
        f" {sums} from ({' union all '.join(halves)}) group by all"
    )
    for column in FOLDED_FIRST:
        connection.execute(
            f"create or replace temp table ranks_{column} as"
            f" select {column} as member,"
            f" row_number() over (order by sum({weight}) desc, {column} nulls last) as size_rank"
            f" from cells group by {column}"
        )
    connection.execute(
        "create or replace temp table combinations as"
        " select distinct plan_tier, country_code, acquisition_channel from cells"
    )


def _fitting(
    connection: duckdb.DuckDBPyConnection, months: int, max_cells: int
) -> Mapping[str, int]:
    """How many members of each dimension can be kept by name."""
    kept = dict.fromkeys(FOLDED_FIRST, KEPT[0])
    for floor in FLOORS:
        for column in FOLDED_FIRST:
            for count in KEPT:
                if floor <= count <= kept[column]:
                    kept[column] = count
                    if _combinations(connection, kept) * months <= max_cells:
                        return kept
    return kept


def _member(column: str, kept: Mapping[str, int]) -> str:
    return f"least(ranks_{column}.size_rank, {kept[column]} + 1)"


def _joined(table: str) -> str:
    return f"{table} " + " ".join(
        f"inner join ranks_{column} on {table}.{column} is not distinct from ranks_{column}.member"
        for column in FOLDED_FIRST
    )


def _combinations(connection: duckdb.DuckDBPyConnection, kept: Mapping[str, int]) -> int:
    members = ", ".join(_member(column, kept) for column in FOLDED_FIRST)
    row = connection.execute(
        f"select count(*) from (select distinct {members} from {_joined('combinations')})"
    ).fetchone()
    return int(row[0]) if row else 0


def _folded(
    connection: duckdb.DuckDBPyConnection,
    marts: Sequence[str],
    months: Sequence[date],
    kept: Mapping[str, int],
) -> Cube:
    measures = [measure for mart in marts for measure in MEASURES_OF[mart]]
    columns = ("plan_tier", "country_code", "acquisition_channel")
    dimensions = tuple(_dimension(connection, column, kept[column]) for column in columns)
    members = ", ".join(f"{_member(column, kept)} - 1 as {column}_at" for column in columns)
    sums = ", ".join(f"sum(cells.{measure})" for measure in measures)
    rows = connection.execute(
        f"select cells.month_start, {members}, {sums} from {_joined('cells')} group by all"
    ).fetchall()
    combinations = sorted({row[1:4] for row in rows})
    position = {combination: at for at, combination in enumerate(combinations)}
    month_at = {month: at for at, month in enumerate(months)}
    values: dict[str, list[int | Decimal]] = {
        measure: [0] * (len(months) * len(combinations)) for measure in measures
    }
    for month_start, *rest in rows:
        cell = month_at[month_start] * len(combinations) + position[tuple(rest[:3])]
        for measure, value in zip(measures, rest[3:], strict=True):
            values[measure][cell] = value
    return Cube(dimensions, tuple(combinations), values)


def _dimension(connection: duckdb.DuckDBPyConnection, column: str, kept: int) -> Dimension:
    members = [
        member
        for (member,) in connection.execute(
            f"select member from ranks_{column} order by size_rank"
        ).fetchall()
    ]
    if len(members) <= kept:
        return Dimension(column, tuple(members), folded=0)
    # one left over is shown by its name: to fold it would save nothing
    if len(members) == kept + 1:
        return Dimension(column, tuple(members), folded=0)
    return Dimension(column, (*members[:kept], None), folded=len(members) - kept)
