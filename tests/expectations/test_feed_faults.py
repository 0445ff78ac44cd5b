"""Faults in the feeds of a simulated service, and clean days; `make faults` is the full form."""

from collections.abc import Iterator

import pytest

from tests.expectations.faults import FAULTS, LINES, Fault, Feeds, clean_days, feeds_of

QUICK = ("playback_sessions", "payments", "invoice_lines", "subscription_changes")


@pytest.fixture(scope="module")
def feeds() -> Iterator[Feeds]:
    with feeds_of(subscribers=30_000, months=9, seed=5) as feeds:
        yield feeds


@pytest.mark.parametrize(
    "fault",
    [fault for fault in FAULTS if fault.table_name in QUICK],
    ids=lambda fault: fault.name,
)
def test_a_fault_of_a_feed_is_minded_by_the_check_that_is_made_for_it(
    feeds: Feeds, fault: Fault
) -> None:
    assert {outcome.expectation for outcome in feeds.minded(fault)} >= fault.caught_by


def test_lines_are_not_held_against_invoices_that_come_again_as_other_versions(
    feeds: Feeds,
) -> None:
    (missing_lines,) = [
        fault for fault in FAULTS if fault.name == "a fifth of the lines is missing"
    ]
    # more than one in 500, and no more than that
    for superseded, is_minded in ((2, True), (3, False)):
        feeds.connection.execute(
            "insert into quality.row_reconciliation values ('invoices', 1000, ?)", [superseded]
        )
        minded = {outcome.expectation for outcome in feeds.minded(missing_lines)}
        feeds.connection.execute("delete from quality.row_reconciliation")
        assert (LINES in minded) == is_minded


def test_clean_days_are_not_minded(feeds: Feeds) -> None:
    for outcomes in clean_days(feeds, 3):
        assert [outcome for outcome in outcomes if not outcome.success] == []
        # a service that is too small to be judged would be clean as well
        assert sum(outcome.observed != "nothing to judge" for outcome in outcomes) >= 60
