"""Faults in the feeds of a simulated service, and clean days; `make faults` is the full form."""

from collections.abc import Iterator

import pytest

from tests.expectations.faults import FAULTS, Fault, Feeds, clean_days, feeds_of

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


def test_clean_days_are_not_minded(feeds: Feeds) -> None:
    for outcomes in clean_days(feeds, 3):
        assert [outcome for outcome in outcomes if not outcome.success] == []
        # a service that is too small to be judged would be clean as well
        assert sum(outcome.observed != "nothing to judge" for outcome in outcomes) >= 60
