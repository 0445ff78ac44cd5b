"""From a service that the pipeline and the reference disagree about to the few rows that do it.

Each round takes every part out of the story in turn and sends all these shorter stories through
the pipeline together, each under a prefix of its own; then as many of the parts as can go at once
are left out. That is two runs of dbt a round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .compare import Difference
from .intake import Row
from .stories import RawRows
from .strategies import Run, merged
from .tables import raw_tables

MAX_ROUNDS = 8
FIRST_PARTS = 12
MAX_PARTS = 40

Told = tuple[str, Row]

Compare = Callable[[Run], list[Difference]]


def culprits(run: Run, found: Sequence[Difference]) -> list[str]:
    """Return the prefixes of the services that the differences name, most often named first."""
    named = {
        prefix: sum(prefix in str(difference) for difference in found) for prefix in run.services
    }
    return sorted((p for p in named if named[p]), key=lambda prefix: -named[prefix])


def _renamed(value: object, old: str, new: str) -> object:
    return value.replace(old, new) if isinstance(value, str) else value


def _with_prefix(rows: Sequence[Told], old: str, new: str) -> RawRows:
    story: RawRows = {name: [] for name in raw_tables()}
    for table, row in rows:
        story[table].append({key: _renamed(value, old, new) for key, value in row.items()})
    return story


def _chunks(rows: Sequence[Told], parts: int) -> list[list[Told]]:
    size = -(-len(rows) // parts)
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def _failing(
    run: Run, prefix: str, stories: Sequence[Sequence[Told]], compare: Compare
) -> list[int]:
    """Return which of the stories differ, sent through the pipeline together."""
    services = {
        f"z{number:03}-": _with_prefix(story, prefix, f"z{number:03}-")
        for number, story in enumerate(stories)
    }
    attempt = replace(run, services=services)
    return sorted(int(name[1:4]) for name in culprits(attempt, compare(attempt)))


def _without(chunks: Sequence[Sequence[Told]], gone: Sequence[int]) -> list[Told]:
    return [row for number, chunk in enumerate(chunks) if number not in gone for row in chunk]


def shortest_story(run: Run, prefix: str, compare: Compare) -> tuple[RawRows, list[Difference]]:
    """Return the fewest rows of a service that still differ, and what differs about them.

    What the differences don't name, such as a sum over all services, is not followed.
    """
    rows: list[Told] = [
        (table, row) for table, found in run.services[prefix].items() for row in found
    ]
    parts = FIRST_PARTS
    for _ in range(MAX_ROUNDS):
        chunks = _chunks(rows, min(parts, len(rows)))
        spare = _failing(run, prefix, [_without(chunks, [n]) for n in range(len(chunks))], compare)
        if spare:
            # each can go alone; how many of them can go together is another question
            gone = [spare[: count + 1] for count in range(len(spare))]
            still = _failing(run, prefix, [_without(chunks, some) for some in gone], compare)
            rows = _without(chunks, gone[still[-1]])
        elif parts >= min(MAX_PARTS, len(rows)):
            break
        parts = MAX_PARTS
    alone = replace(run, services={prefix: _with_prefix(rows, prefix, prefix)})
    return merged([alone.services[prefix]]), compare(alone)


def told_shortly(story: RawRows) -> str:
    """Return a story's rows as lines of text, nulls left out."""
    return "\n".join(
        f"{table}: "
        + ", ".join(f"{key}={value}" for key, value in row.items() if value is not None)
        for table, rows in story.items()
        for row in rows
    )
