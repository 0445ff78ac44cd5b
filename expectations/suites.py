"""What an expectation and a suite are made of: data, without Great Expectations."""

from dataclasses import dataclass
from typing import Any

from expectations.outcomes import Severity


@dataclass(frozen=True)
class Expectation:
    """One thing that should hold of a column of a frame.

    Attributes:
        name: Says what should hold; unique in its suite.
        frame: The frame of the suite that it is judged on.
        type: Great Expectations' name of the kind of expectation, in snake case.
        kwargs: Its arguments, as Great Expectations calls them.
        severity: `critical` only for what cannot be true of any data, however small or odd.
        why: What goes wrong for readers if a failure is ignored.
        owner: Who mends it.
        what_to_do: Where to begin.
        table_name: The table at fault.
        column: The column at fault, or `all`.
    """

    name: str
    frame: str
    type: str
    kwargs: dict[str, Any]
    severity: Severity
    why: str
    owner: str
    what_to_do: str
    table_name: str
    column: str = "all"


@dataclass(frozen=True)
class Suite:
    """A named list of expectations that are judged together."""

    name: str
    expectations: tuple[Expectation, ...]

    @property
    def frames(self) -> tuple[str, ...]:
        """Names of the frames that its expectations are judged on, each once, in their order."""
        return tuple(dict.fromkeys(expectation.frame for expectation in self.expectations))


def between(
    column: str, minimum: float | None = None, maximum: float | None = None
) -> dict[str, Any]:
    """Arguments of `expect_column_values_to_be_between`; a null in the column is not judged."""
    return {"column": column, "min_value": minimum, "max_value": maximum}
