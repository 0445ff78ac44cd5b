import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from expectations.outcomes import CheckOutcome
from expectations.page import checks_page

AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
NOON = datetime(2026, 4, 2, 12, tzinfo=UTC)

HOLDS = CheckOutcome(
    suite="feed_payments",
    expectation="feed_is_fresh",
    table_name="payments",
    column="all",
    severity="warning",
    failures=0,
    observed="3 of 3 as expected",
    why="It tells what is new.",
    owner="payments",
    what_to_do="Ask the sender.",
)
HOSTILE = "</td><script>alert(1)</script><img src=\"https://example.org/x\" onerror='x'>&amp;"


class Elements(HTMLParser):
    """What a browser would make of a page: its elements with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(*outcomes: CheckOutcome) -> str:
    return checks_page(outcomes, as_of=AS_OF, checked_at=NOON)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ((HOLDS,), "Fit for release: checks as of 2026-04-01 00:00:00 UTC"),
        ((HOLDS, replace(HOLDS, failures=1)), "Fit for release, with warnings: "),
        ((replace(HOLDS, failures=1, severity="critical"), HOLDS), "Not to be released: "),
    ],
)
def test_the_verdict_is_in_the_title(outcomes: tuple[CheckOutcome, ...], verdict: str) -> None:
    assert f"<title>{verdict}" in page_of(*outcomes)


def test_what_failed_stands_first_and_in_its_suite_with_all_that_is_said_of_it() -> None:
    failed = replace(
        HOLDS, expectation="no_day_is_empty", failures=1, observed="rows_where_usual at x: 0"
    )
    page = page_of(HOLDS, failed)
    rows = re.findall(r"<tr role=\"row\" class=\"so\">.*?</tr>", page, re.DOTALL)
    assert len(rows) == 2
    for row in rows:
        for said in (failed.expectation, failed.observed, failed.why, failed.what_to_do, "warning"):
            assert said in row
    assert page.index(rows[0]) < page.index('<h2 id="feed_payments">')


@pytest.mark.parametrize("field", ["observed", "why", "owner", "what_to_do", "expectation"])
def test_a_value_is_text_and_never_markup(field: str) -> None:
    changed: dict[str, Any] = {field: HOSTILE}
    page = page_of(replace(HOLDS, failures=1, **changed))
    assert {tag for tag, _ in Elements(page).found}.isdisjoint({"script", "img"})
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_backticks_are_code_and_hold_no_markup() -> None:
    page = page_of(replace(HOLDS, why=f"A `status` that is `{HOSTILE}` and one ` alone"))
    assert "A <code>status</code> that is <code>&lt;/td&gt;" in page
    assert "one ` alone" in page
    assert {tag for tag, _ in Elements(page).found}.isdisjoint({"script", "img"})


def test_each_cell_says_on_a_phone_what_it_is() -> None:
    page = page_of(HOLDS)
    headers = re.findall(r'<th role="columnheader" scope="col">([^<]+)</th>', page)
    named = re.findall(r'<td role="cell" data-name="([^"]+)">', page)
    assert set(named) == set(headers) - {"Outcome", "Expectation"}


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    elements = Elements(page_of(HOLDS, replace(HOLDS, failures=1)))
    assert elements.open == []
    policy = next(
        attributes["content"]
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'",
        str(policy),
    )
    for tag, attributes in elements.found:
        assert tag not in {"script", "link", "img", "iframe", "object", "form"}
        assert not {"src", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert str(attributes.get("href", "#")).startswith("#")
    assert "url(" not in page_of(HOLDS)
    assert "@import" not in page_of(HOLDS)


def test_links_lead_to_a_place_of_the_page() -> None:
    elements = Elements(page_of(HOLDS, replace(HOLDS, failures=1))).found
    ids = {attributes["id"] for _, attributes in elements if "id" in attributes}
    links = {str(attributes["href"])[1:] for _, attributes in elements if "href" in attributes}
    assert links <= ids
    assert links
