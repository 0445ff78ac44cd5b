"""The ways to the movements, measured on one service, and what their figures differ by."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

import orjson

from benchmarks.bench import Bench, lay_views
from benchmarks.report import WORK_HEADINGS, Section, Summary, summarise
from benchmarks.services import MONTHS, SEED
from benchmarks.works import Command, dbt_lineage_command, simulate_command
from benchmarks.yardsticks.differences import CAUSES, Comparison, compare
from benchmarks.yardsticks.ways import MOVEMENTS, TIMES, Way
from orchestration.database.warehouse import Warehouse

NAMES: Mapping[Way, str] = {
    Way.OURS: "our models",
    Way.ALONE: "our models in one statement, which writes the movements alone",
    Way.SPINE: "a spine of customers and months, in SQL",
    Way.PANDAS: "a script with pandas",
}
# what is told as a ratio of what, with what is aimed at
RATIOS: Sequence[tuple[Way, Way, str]] = (
    (Way.OURS, Way.SPINE, ", aimed at ≤ 0.33"),
    (Way.OURS, Way.PANDAS, ""),
    (Way.ALONE, Way.SPINE, ", aimed at ≤ 0.33"),
    (Way.ALONE, Way.PANDAS, ""),
)


def measure_yardsticks(bench: Bench, *, subscribers: int, rounds: int) -> list[Section]:
    """Simulate a service that nobody watches, measure the ways in turn, and compare them.

    The accepted changes, and all that other parts of the build make, are laid once by dbt and do
    not count: each way begins with the same tables.
    """
    raw, warehouse = bench.folder / "simulated", bench.folder / "warehouse"
    command = simulate_command(
        raw, subscribers=subscribers, months=MONTHS, plays_per_month=0, seed=SEED
    )
    bench.run("tenure simulate", command, counts=False)
    lay_views(raw, warehouse)
    laid = dbt_lineage_command(warehouse, MOVEMENTS)
    bench.run("dbt build of the movements", laid, warehouse=warehouse, counts=False)
    for _ in range(rounds):
        for way, name in NAMES.items():
            process: Command = ["python", "-m", "benchmarks.yardsticks.ways", way, warehouse]
            bench.run(name, process, warehouse=warehouse)
    seconds = orjson.loads((warehouse / TIMES).read_bytes())
    comparison = compare(Warehouse(warehouse).build_file)
    shutil.rmtree(raw)
    shutil.rmtree(warehouse)
    summaries = {way: summarise(name, bench.measured) for way, name in NAMES.items()}
    return sections(subscribers, summaries, seconds, comparison)


def sections(
    subscribers: int,
    summaries: Mapping[Way, Summary],
    seconds: Mapping[str, float],
    comparison: Comparison,
) -> list[Section]:
    """Return the tables: what the ways cost, where our time goes, where the figures differ."""
    ratios = [
        f"{NAMES[way].capitalize()} ÷ {NAMES[other]}:"
        f" {summaries[way].wall_seconds / summaries[other].wall_seconds:.2f}"
        f" (CPU {summaries[way].cpu_seconds / summaries[other].cpu_seconds:.2f}){goal}."
        for way, other, goal in RATIOS
    ]
    costs = Section(
        f"MRR movements of {subscribers:,} sign-ups over {MONTHS} months",
        WORK_HEADINGS[:-1],
        tuple(summaries[way].cells()[:-1] for way in NAMES),
        tuple(ratios),
    )
    models = Section(
        "Where the work of our models lies",
        ("", "CPU seconds (last round)", "share"),
        tuple(
            (name, f"{spent:.1f}", f"{spent / sum(seconds.values()):.0%}")
            for name, spent in sorted(seconds.items(), key=lambda one: -one[1])
        ),
    )
    return [costs, models, difference_section(comparison)]


def difference_section(comparison: Comparison) -> Section:
    """Return where the spine's figures differ from ours, and a word on those of pandas."""
    headings = ("", "months", "our movements", "the spine's", "our change", "the spine's")
    rows = [
        (
            one.cause,
            f"{one.subscriber_months:,}",
            f"{one.our_movements:,}",
            f"{one.spine_movements:,}",
            f"{one.our_change:,.0f}",
            f"{one.spine_change:,.0f}",
        )
        for one in comparison.differences
    ]
    found = comparison.differences
    total = (
        "all",
        f"{sum(one.subscriber_months for one in found):,}",
        f"{sum(one.our_movements for one in found):,}",
        f"{sum(one.spine_movements for one in found):,}",
        f"{sum(one.our_change for one in found):,.0f}",
        f"{sum(one.spine_change for one in found):,.0f}",
    )
    pandas = (
        "The script with pandas has the movements of the spine, every one."
        if comparison.pandas_differs == 0
        else f"The script with pandas differs from the spine in {comparison.pandas_differs:,}."
    )
    causes = (f"*{one.cause}*: {CAUSES[one.cause]}." for one in found)
    title = "Months of a subscriber in which ours or the spine has a movement, by what differs"
    return Section(title, headings, (*rows, total), (*causes, pandas))
