from pathlib import Path

import pytest
import yaml

from expectations.feeds import FEEDS, feed_suites
from expectations.release import release_suite
from expectations.suites import Expectation, Suite

STAGING = Path(__file__).parents[2] / "models" / "staging"
SUITES = (*feed_suites(), release_suite())
EXPECTATIONS = [(suite, each) for suite in SUITES for each in suite.expectations]


def raw_tables() -> set[str]:
    return {
        table["name"]
        for path in STAGING.glob("*/_*__sources.yml")
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        if source["name"] == "raw"
        for table in source["tables"]
    }


def test_every_raw_table_has_a_suite() -> None:
    assert {feed.table_name for feed in FEEDS} == raw_tables()
    assert len(FEEDS) == len(raw_tables())


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_names_are_unique_in_a_suite(suite: Suite) -> None:
    names = [each.name for each in suite.expectations]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("suite", "expectation"),
    EXPECTATIONS,
    ids=[f"{suite.name}.{each.name}" for suite, each in EXPECTATIONS],
)
def test_an_expectation_says_why_whose_how_bad_and_what_to_do(
    suite: Suite, expectation: Expectation
) -> None:
    assert expectation.severity in {"critical", "warning"}
    assert expectation.owner
    for text in (expectation.why, expectation.what_to_do):
        assert len(text.split()) >= 6
        assert text.endswith(".")
    assert expectation.table_name
    # a day of arrival stays bad after it was mended: it must not hold a release back
    if suite.name != "release":
        assert expectation.severity == "warning"
