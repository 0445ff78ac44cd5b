"""The verdict on one expectation, in plain Python, for whoever acts on it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning"]
"""`critical` stops the release; `warning` only tells somebody."""


@dataclass(frozen=True)
class CheckOutcome:
    """What one expectation found.

    Attributes:
        suite: The suite it belongs to: a raw table's name with `feed_` before it, or `release`.
        expectation: Its name, unique in the suite; what alerts and the runbook call it.
        table_name: The raw table, or `<schema>.<model>`, that is at fault if it fails.
        column: The column it is about; `all` where it is about rows.
        severity: How bad a failure is.
        failures: How many of the figures judged break it; none where there is nothing yet to judge.
        observed: The figures that broke it and where they are, for a person; never a raw value
            and never personal data, since only aggregates are judged.
        why: What goes wrong for readers if it is ignored.
        owner: Who mends it.
        what_to_do: Where to begin.
    """

    suite: str
    expectation: str
    table_name: str
    column: str
    severity: Severity
    failures: int
    observed: str
    why: str
    owner: str
    what_to_do: str

    @property
    def success(self) -> bool:
        """Whether it holds."""
        return not self.failures
