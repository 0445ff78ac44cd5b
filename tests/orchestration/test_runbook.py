"""The runbook has a page for everything that can fail, and says what the checks say now."""

import copy
import re

import pytest

from orchestration.alerts import LATE, RUN_ENDS
from orchestration.pages.runbook import (
    KINDS,
    fact_pages,
    keys_in_memory,
    kind_pages,
    page_of_rule,
    runbook,
)
from orchestration.releases import audit
from orchestration.settings import PROJECT_DIR
from orchestration.transform.data_tests import rules_of
from orchestration.transform.manifest import Manifest


@pytest.fixture(scope="module")
def page() -> str:
    return (PROJECT_DIR / "docs" / "runbook.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def anchors(page: str) -> list[str]:
    return re.findall(r'<a id="(\w+)"></a>', page)


def test_the_page_says_what_the_checks_say(page: str, manifest: Manifest) -> None:
    assert page == runbook(manifest), "docs/runbook.md is stale: run `make docs/runbook.md`"


def test_every_expectation_has_a_page(anchors: list[str]) -> None:
    planned = {check.name for check in audit.planned_checks()}
    assert planned
    assert planned <= set(anchors)


def test_every_data_test_has_a_page(anchors: list[str], manifest: Manifest) -> None:
    nodes = manifest.content["nodes"].values()
    tests = [node for node in nodes if node["resource_type"] == "test"]
    assert {page_of_rule(rule) for test in tests for rule in rules_of(test)} <= set(anchors)
    written = {path.stem for path in (PROJECT_DIR / "tests" / "dbt").glob("*.sql")}
    assert written
    assert written <= set(anchors)


def test_every_end_of_a_run_has_a_page(anchors: list[str]) -> None:
    ends = {f"run_exit_{status}" for status in RUN_ENDS}
    assert ends | {LATE, "alert_not_delivered"} <= set(anchors)


def test_the_page_names_the_tests_whose_rows_are_gone_with_the_run(
    page: str, manifest: Manifest
) -> None:
    gone = keys_in_memory(manifest)
    assert gone == ["integrity_stg_subscribers__erasures", "integrity_stg_subscribers__split_ids"]
    assert all(f"`{name}`" in page for name in gone)


def test_an_anchor_leads_to_one_page(anchors: list[str]) -> None:
    assert len(set(anchors)) == len(anchors)


def test_every_kind_that_is_described_is_used(manifest: Manifest) -> None:
    assert {page.anchor for page in kind_pages(manifest)} == {f"test_{kind}" for kind in KINDS}


def test_a_test_that_does_not_say_what_to_do_is_refused(manifest: Manifest) -> None:
    content = copy.deepcopy(manifest.content)
    (test,) = [
        node for node in content["nodes"].values() if node["name"] == "assert_rows_reconcile"
    ]
    test["description"] = ""
    with pytest.raises(ValueError, match="assert_rows_reconcile lacks a description"):
        fact_pages(Manifest(content))
