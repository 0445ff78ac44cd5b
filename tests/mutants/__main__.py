"""Changes each model's SQL in one place at a time, and tells which changes no unit test notices.

python -m tests.mutants [MODEL ...]

Nothing here passes or fails. A change that is not noticed is a rule that no unit test tries, or one
that means the same: a join on one key more than is needed, say. What a macro writes into a model is
left as it is.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.settings import PROJECT_DIR
from tests.mutants.changes import Site, changed, sites
from tests.mutants.unit_tests import Part, UnitTest, build_empty_service, passes, recorded

WORD = re.compile(r"\w+")
# of what is told of a place
WIDTH = 150


@dataclass(frozen=True)
class Mutant:
    """A change to a part of a model, in each of the unit tests that have the part."""

    part: str
    site: Site
    queries: tuple[tuple[Part, int], ...]

    def is_noticed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether a unit test fails once the change is made."""
        return any(
            not passes(connection, part.around(changed(part.body, number)))
            for part, number in self.queries
        )


def mutants(tests: Sequence[UnitTest], source: str) -> list[Mutant]:
    """All changes to a model, which is the same in its tests but for vars and overridden macros."""
    written = {word.lower() for word in WORD.findall(source)}
    found: dict[tuple[str, str, str, str, int], tuple[Site, list[tuple[Part, int]]]] = {}
    for test in tests:
        of_model = written | test.values if "var" in written else written
        for part in test.parts:
            seen: Counter[tuple[str, str, str]] = Counter()
            for site in sites(part.body):
                if not site.words <= of_model:
                    continue
                place = (site.kind, _without_values(site.text), _without_values(site.context))
                seen[place] += 1
                key = (part.name, *place, seen[place])
                found.setdefault(key, (site, []))[1].append((part, site.number))
    return [Mutant(name, site, tuple(where)) for (name, *_), (site, where) in found.items()]


def _without_values(text: str) -> str:
    return re.sub(r"'[^']*'|\b\d+\b", "?", text)


def unnoticed(connection: duckdb.DuckDBPyConnection, changes: Sequence[Mutant]) -> Iterator[Mutant]:
    """Those of the changes that no unit test notices."""
    return (each for each in changes if not each.is_noticed(connection))


def main(names: Sequence[str]) -> None:
    """Prints what is not noticed, by model."""
    console = Console(soft_wrap=True, highlight=False)
    sources = {path.stem: path.read_text() for path in (PROJECT_DIR / "models").rglob("*.sql")}
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        warehouse = build_empty_service(place)
        tests = recorded(warehouse, place / "target")
        with duckdb.connect(str(warehouse.build_file), config={"threads": 1}) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for model in sorted(names or tests):
                changes = mutants(tests[model], sources[model])
                left = list(unnoticed(connection, changes))
                counted.update(changes=len(changes), unnoticed=len(left))
                console.print(f"{model}: {len(left)} of {len(changes)}", markup=False)
                by_part: dict[str, list[Mutant]] = defaultdict(list)
                for mutant in left:
                    by_part[mutant.part].append(mutant)
                for part, those in by_part.items():
                    console.print(f"  {part}", markup=False)
                    for each in those:
                        told = f"    {each.site.kind}: {each.site.text}"
                        console.print(told[:WIDTH].replace("\n", " "), markup=False)
    console.print(f"{counted['changes']} changes, {counted['unnoticed']} of them not noticed")


if __name__ == "__main__":
    main(sys.argv[1:])
