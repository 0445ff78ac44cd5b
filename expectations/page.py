"""A page of all outcomes that stands alone: one HTML file that loads nothing and runs nothing."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from expectations.outcomes import CheckOutcome

TEMPLATES = Path(__file__).parent / "templates"

QUOTED = re.compile(r"`([^`]+)`")


def checks_page(outcomes: Sequence[CheckOutcome], *, as_of: datetime, checked_at: datetime) -> str:
    """The page, by suite in the order of the outcomes, what failed first and once more.

    Every value is escaped. The page's own policy lets a browser load nothing, run nothing and use
    no style but the one that is in it.

    Args:
        outcomes: What was judged.
        as_of: The knowledge horizon, with its time zone.
        checked_at: When it was judged, with its time zone.
    """
    # only here, so that reading the suites loads nothing
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def coded(text: str) -> Markup:
        """A text with what stands in backticks as code."""
        return Markup(QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 escaped

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["coded"] = coded
    style = (TEMPLATES / "checks.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    failed = [outcome for outcome in outcomes if not outcome.success]
    critical = [outcome for outcome in failed if outcome.severity == "critical"]
    warnings = [outcome for outcome in failed if outcome.severity == "warning"]
    suites: dict[str, list[CheckOutcome]] = {}
    for outcome in outcomes:
        suites.setdefault(outcome.suite, []).append(outcome)
    return environment.get_template("checks.html.jinja").render(
        style=style,
        style_hash=f"sha256-{digest}",
        verdict=_verdict(critical, warnings),
        critical=critical,
        warnings=warnings,
        outcomes=outcomes,
        judged=sum(outcome.observed != "nothing to judge" for outcome in outcomes),
        suites=suites,
        as_of=_told(as_of),
        checked_at=_told(checked_at),
    )


def _verdict(critical: list[CheckOutcome], warnings: list[CheckOutcome]) -> str:
    if critical:
        return "Not to be released"
    return "Fit for release, with warnings" if warnings else "Fit for release"


def _told(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
