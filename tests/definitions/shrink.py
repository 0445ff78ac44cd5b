"""From a service that the pipeline and the reference disagree about to the few rows that do it.

Each round takes every part out of the story in turn and sends all these shorter stories through
the pipeline together, each under a prefix of its own: one run of dbt a round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .compare import Difference
from .intake import Row
from .strategies import RawRows, Run, merged
from .tables import raw_tables

MAX_ROUNDS = 12
MAX_STORIES = 40

Compare = Callable[[Run], list[Difference]]


def culprits(run: Run, found: Sequence[Difference]) -> list[str]:
    """Return the prefixes of the services that the differences name, most often named first."""
    named = {
        prefix: sum(prefix in str(difference) for difference in found) for prefix in run.services
    }
    return sorted((p for p in named if named[p]), key=lambda prefix: -named[prefix])


def _renamed(value: object, old: str, new: str) -> object:
    return value.replace(old, new) if isinstance(value, str) else value


def _with_prefix(rows: Sequence[tuple[str, Row]], old: str, new: str) -> RawRows:
    story: RawRows = {name: [] for name in raw_tables()}
    for table, row in rows:
        story[table].append({key: _renamed(value, old, new) for key, value in row.items()})
    return story


def _shorter(rows: Sequence[tuple[str, Row]], parts: int) -> list[list[tuple[str, Row]]]:
    """Return the story without each of so many parts of it."""
    size = max(1, -(-len(rows) // parts))
    return [
        [*rows[:start], *rows[start + size :]] for start in range(0, len(rows), size) if rows[size:]
    ]


def shortest_story(run: Run, prefix: str, compare: Compare) -> tuple[RawRows, list[Difference]]:
    """Return the fewest rows of a service that still differ, and what differs about them.

    What the differences don't name, such as a sum over all services, is not followed.
    """
    rows = [(table, row) for table, found in run.services[prefix].items() for row in found]
    parts = 2
    for _ in range(MAX_ROUNDS):
        stories = _shorter(rows, parts)[:MAX_STORIES]
        attempt = replace(
            run,
            services={
                f"z{number:03}-": _with_prefix(story, prefix, f"z{number:03}-")
                for number, story in enumerate(stories)
            },
        )
        failing = culprits(attempt, compare(attempt)) if stories else []
        if failing:
            rows = min((stories[int(name[1:4])] for name in failing), key=len)
            parts = max(2, min(parts, len(rows)))
        elif parts >= len(rows):
            break
        else:
            parts = min(len(rows), parts * 4)
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
