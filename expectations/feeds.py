"""A suite for each raw table, judged on what `quality.feed_profile` says the feed delivered.

All of them are warnings, on purpose. A day of arrival is final, so a bad delivery stays bad in the
profile after it was mended by a later one: a critical failure here would hold the release back when
all is well again. What a bad feed must never do to the marts, critical expectations on the marts
themselves, the quarantine's limit and the reconciliations see to.
"""

from dataclasses import dataclass, field

from expectations.suites import Expectation, Suite, between

BETWEEN = "expect_column_values_to_be_between"


@dataclass(frozen=True)
class Feed:
    """What is particular about a raw table as a feed.

    Attributes:
        table_name: Raw table.
        owner: Who delivers it.
        cost: One sentence: what is wrong in the marts when this feed is.
        has_event_time: Whether its rows have an event time of their own.
        volume: The lowest and highest number of rows of a day that needs no look, as a multiple of
            what is usual for that day of the week.
        strict_lists: Columns with a closed list; a row with another value is quarantined.
        open_lists: Columns with a list that only describes; another value reads as `other`.
        ranges: Column → lowest and highest value that the contract or sense allows.
        scales: Columns whose mean, of amounts per currency, should not leap.
        is_daily: Whether a service of any size gets rows of it every day.
        is_timed: Whether an event's time is an instant at the source, so that its delay means
            something.
        drift: By how much a share may move from one day to the next without a look.
    """

    table_name: str
    owner: str
    cost: str
    has_event_time: bool = True
    volume: tuple[float, float] = (0.65, 1.6)
    strict_lists: tuple[str, ...] = ()
    open_lists: tuple[str, ...] = ()
    ranges: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    scales: tuple[str, ...] = ()
    is_daily: bool = False
    is_timed: bool = False
    drift: float = 0.03


# monthly renewals pile up on the last day of a short month and thin out on the 31st
RENEWAL_VOLUME = (0.6, 1.7)
# and what is no renewal, such as one-off purchases, is then a larger share of the day
RENEWAL_DRIFT = 0.1

FEEDS = (
    Feed(
        "subscribers",
        is_timed=True,
        owner="accounts",
        cost="Every other table hangs on a subscriber: rows of one who is missing are quarantined.",
    ),
    Feed(
        "plans",
        owner="billing",
        cost="Changes of a plan that is missing are quarantined, and MRR with them.",
        has_event_time=False,
        ranges={"max_streams": (0, None)},
    ),
    Feed(
        "subscription_changes",
        is_daily=True,
        is_timed=True,
        owner="billing",
        cost="They are the states: MRR, churn, cohorts and survival are made of nothing else.",
        strict_lists=("status", "billing_period_unit"),
        open_lists=("end_reason", "cancel_feedback"),
        ranges={"billing_period_count": (1, None), "amount_minor": (0, None)},
        scales=("amount_minor",),
    ),
    Feed(
        "invoices",
        is_daily=True,
        is_timed=True,
        owner="billing",
        cost="Recognised revenue counts only lines of an invoice that is there, and paid or open.",
        volume=RENEWAL_VOLUME,
        drift=RENEWAL_DRIFT,
        strict_lists=("status",),
        scales=("total_minor",),
    ),
    Feed(
        "invoice_lines",
        owner="billing",
        cost="Recognised revenue is the sum of the lines.",
        has_event_time=False,
        volume=RENEWAL_VOLUME,
        drift=RENEWAL_DRIFT,
        strict_lists=("kind",),
        scales=("amount_minor",),
    ),
    Feed(
        "payments",
        is_daily=True,
        is_timed=True,
        owner="payments",
        cost="Collected revenue and the story of each failed charge come from them.",
        volume=RENEWAL_VOLUME,
        drift=RENEWAL_DRIFT,
        strict_lists=("status",),
        open_lists=("method",),
        ranges={"amount_minor": (0, None)},
        scales=("amount_minor",),
    ),
    Feed(
        "refunds",
        is_timed=True,
        owner="payments",
        cost="Net revenue is too high by every refund that is missing.",
        strict_lists=("kind",),
        ranges={"amount_minor": (0, None)},
        scales=("amount_minor",),
    ),
    Feed(
        "exchange_rates",
        owner="finance",
        cost="A month whose first day has no rate cannot be valued: the run stops.",
        ranges={"rate": (0, None)},
        scales=("rate",),
    ),
    Feed(
        "playback_sessions",
        is_daily=True,
        is_timed=True,
        owner="player",
        cost="Viewing, engagement and every early sign of churn come from them.",
        open_lists=("device_type", "end_cause"),
        ranges={
            "watched_seconds": (0, None),
            "startup_ms": (0, None),
            "rebuffer_count": (0, None),
            "rebuffer_ms": (0, None),
            "bitrate_kbps": (0, None),
        },
        scales=("watched_seconds", "startup_ms", "bitrate_kbps"),
    ),
    Feed(
        "titles",
        owner="catalogue",
        cost="Viewing of a title that is missing counts under no name, and is never complete.",
        has_event_time=False,
        open_lists=("content_type",),
        ranges={"runtime_seconds": (0, None)},
    ),
    Feed(
        "support_tickets",
        is_timed=True,
        owner="support",
        cost="Ticket load and time to resolve are too low by what is missing.",
        open_lists=("topic",),
        ranges={"csat_score": (1, 5)},
    ),
    Feed(
        "survey_responses",
        is_timed=True,
        owner="research",
        cost="NPS and CSAT speak for those only who are in it.",
        strict_lists=("kind",),
        ranges={"score": (0, 10)},
    ),
    Feed(
        "campaign_touches",
        is_timed=True,
        owner="marketing",
        cost="A message that is missing makes its campaign look idle and its effect look free.",
        open_lists=("channel", "purpose"),
    ),
    Feed(
        "marketing_spend",
        owner="marketing",
        cost="Acquisition looks cheaper than it was by all spend that is missing.",
        scales=("amount_minor",),
    ),
    Feed(
        "erasure_requests",
        owner="privacy",
        cost="A request that does not arrive is a person who is not forgotten.",
    ),
)


def feed_suites() -> tuple[Suite, ...]:
    """A suite for each raw table, in the order of the contract."""
    return tuple(feed_suite(feed) for feed in FEEDS)


def feed_suite(feed: Feed) -> Suite:
    """The suite of one raw table: deliveries, completeness, lists, ranges and drift."""
    return Suite(
        name=f"feed_{feed.table_name}",
        expectations=(
            *_deliveries(feed),
            *_completeness(feed),
            *_lists(feed),
            *_ranges(feed),
            *_drift(feed),
        ),
    )


def _deliveries(feed: Feed) -> list[Expectation]:
    low, high = feed.volume
    deliveries = [
        Expectation(
            name="rows_of_a_day_are_near_the_usual",
            frame="days",
            type=BETWEEN,
            kwargs=between("rows_ratio", low, high),
            severity="warning",
            why=f"{feed.cost} A day far from what its weekday usually brings was cut short, did "
            "not come at all, or came twice.",
            owner=feed.owner,
            what_to_do="Compare the source's own count of that day with the raw table's; have what "
            "is missing sent again: it is taken over at the next run, and copies are harmless.",
            table_name=feed.table_name,
        ),
        Expectation(
            name="feed_is_fresh",
            frame="days",
            type=BETWEEN,
            kwargs=between("silent_days", 0, 1),
            severity="warning",
            why=f"{feed.cost} A table that used to get rows every day has got none for days, so "
            "its newest figures are those of a stopped feed.",
            owner=feed.owner,
            what_to_do="See whether the export still runs and where its files go; what it missed "
            "can be sent late, each row still counts on its own day.",
            table_name=feed.table_name,
        ),
        Expectation(
            name="feed_still_has_rows",
            frame="standing",
            type=BETWEEN,
            kwargs=between("accepted_rows", 1),
            severity="warning",
            why=f"{feed.cost} A release that is kept was made of rows of this table, and now none "
            "counts: an empty delivery took the place of the files, they were taken away, or the "
            "horizon lies before all of them.",
            owner=feed.owner,
            what_to_do="Put the files back and run again; until then `tenure rollback RELEASE` "
            "gives readers the newest one of `tenure status` in which it had rows. Where `as_of` "
            "was meant to lie so early, or the table was given up, there is nothing to mend.",
            table_name=feed.table_name,
        ),
        Expectation(
            name="rows_are_not_repeated_more_than_usual",
            frame="days",
            type=BETWEEN,
            kwargs=between("repeated_share_change", None, 0.2),
            severity="warning",
            why="More copies or versions of the same keys within a day than usual, or rows without "
            "a key, mean that a batch was sent twice or an export lost its place; figures hold, "
            "since one version counts, but the feed is not what it was.",
            owner=feed.owner,
            what_to_do="Find the day by `from quality.feed_profile where table_name = "
            f"'{feed.table_name}' and metric in ('rows', 'distinct_keys') order by profile_date`: "
            "there distinct_keys is further below rows than on the others. "
            "quality.row_reconciliation counts the table's duplicate_rows, which need nothing, and "
            "superseded_rows: many of these want an explanation from the source.",
            table_name=feed.table_name,
        ),
    ]
    if feed.is_daily:
        deliveries.append(
            Expectation(
                name="no_day_is_empty",
                frame="days",
                type=BETWEEN,
                kwargs=between("rows_where_usual", 1),
                severity="warning",
                why=f"{feed.cost} A weekday that usually brings twenty rows or more stays without "
                "any once in 500 million times by chance: nothing was sent, or nothing was done.",
                owner=feed.owner,
                what_to_do="Ask first whether customers could pay and watch that day; if they "
                "could, the export failed and the day is to be sent again.",
                table_name=feed.table_name,
            )
        )
    if feed.is_timed:
        deliveries.append(
            Expectation(
                name="events_arrive_as_late_as_usual",
                frame="days",
                type=BETWEEN,
                kwargs=between("delay_change_hours", -2, 2),
                severity="warning",
                why="Half of the events of a day arrived hours later or sooner after they happened "
                "than usual: a clock was set wrong, a time zone was taken for UTC, or the export "
                "ran late. Days and months near midnight are then the wrong ones.",
                owner=feed.owner,
                what_to_do="Look at the difference: whole, half or quarter hours are a time zone, "
                "anything else a late export, which mends itself. Have wrong times sent again as "
                "new versions.",
                table_name=feed.table_name,
            )
        )
    if feed.has_event_time:
        deliveries += [
            Expectation(
                name="events_cover_the_usual_hours",
                frame="days",
                type=BETWEEN,
                kwargs=between("missing_hours", None, 5),
                severity="warning",
                why=f"{feed.cost} Hours of the day without any event mean that part of the day is "
                "missing or that a clock in the source stands still.",
                owner=feed.owner,
                what_to_do="List the hours that the source has and the raw table has not; ask for "
                "them again, or for the true times if all events bear the same.",
                table_name=feed.table_name,
            ),
            Expectation(
                name="events_do_not_lie_after_their_arrival",
                frame="days",
                type=BETWEEN,
                kwargs=between("early_share", None, 0.001),
                severity="warning",
                why="A row that arrives more than 5 minutes before it happens is quarantined: a "
                "clock is wrong or a time zone was taken for UTC.",
                owner=feed.owner,
                what_to_do="Compare the event times with the arrival in quality.quarantined_rows; "
                "a gap of whole hours is a time zone.",
                table_name=feed.table_name,
            ),
        ]
    return deliveries


def _completeness(feed: Feed) -> list[Expectation]:
    return [
        Expectation(
            name="rows_are_complete",
            frame="days",
            type=BETWEEN,
            kwargs=between("incomplete_share", None, 0.001),
            severity="warning",
            why="A row with a null where the contract allows none is quarantined and missing from "
            f"every mart. {feed.cost}",
            owner=feed.owner,
            what_to_do="quality.feed_profile names the column (metric `nulls`), "
            "quality.quarantined_rows the keys; fill the column at the source and send them again.",
            table_name=feed.table_name,
        ),
        *([_lines_add_up(feed)] if feed.table_name == "invoice_lines" else []),
    ]


def _lines_add_up(feed: Feed) -> Expectation:
    return Expectation(
        name="lines_add_up_to_their_invoices",
        frame="days",
        type=BETWEEN,
        kwargs=between("lines_to_invoices", 0.98, 1.02),
        severity="warning",
        why="An invoice's total is the sum of its lines with tax. Where a day's are not equal, "
        f"lines or invoices are missing, or one of the two is in another unit. {feed.cost} Where "
        "more than one in 500 invoices has come again as another version, nobody can say: its "
        "total counts with each.",
        owner=feed.owner,
        what_to_do="Compare the totals with the sums of the lines, invoice by invoice, for that "
        "day of arrival; have what is missing sent again.",
        table_name=feed.table_name,
    )


def _lists(feed: Feed) -> list[Expectation]:
    strict = [
        Expectation(
            name=f"{column}_is_of_the_list",
            frame="days",
            type=BETWEEN,
            kwargs=between(f"unlisted_{column}", None, 0),
            severity="warning",
            why=f"A row whose `{column}` is not in the contract's list is quarantined. {feed.cost}",
            owner=feed.owner,
            what_to_do="quality.quarantined_rows has the keys of the rows; look up the new value "
            "in the raw table and map it to the contract's list at the source or in the adapter.",
            table_name=feed.table_name,
            column=column,
        )
        for column in feed.strict_lists
    ]
    descriptive = [
        Expectation(
            name=f"{column}_is_of_the_list",
            frame="days",
            type=BETWEEN,
            kwargs=between(f"unlisted_{column}", None, 0.01),
            severity="warning",
            why=f"A `{column}` that is not in the contract's list reads as `other`, so breakdowns "
            "lose what it says.",
            owner=feed.owner,
            what_to_do="Ask the source what the new value means and map it to the contract's list.",
            table_name=feed.table_name,
            column=column,
        )
        for column in feed.open_lists
    ]
    return strict + descriptive


def _ranges(feed: Feed) -> list[Expectation]:
    expectations = []
    for column, (lowest, highest) in feed.ranges.items():
        limits = (("minimum", "low", lowest, None), ("maximum", "high", None, highest))
        for metric, side, minimum, maximum in limits:
            if minimum is None and maximum is None:
                continue
            expectations.append(
                Expectation(
                    name=f"{column}_is_not_too_{side}",
                    frame="days",
                    type=BETWEEN,
                    kwargs=between(f"{metric}_{column}", minimum, maximum),
                    severity="warning",
                    why=f"`{column}` outside of what it can be is a wrong sign, unit or scale, and "
                    f"sums and means take it in or lose the row. {feed.cost}",
                    owner=feed.owner,
                    what_to_do="Find the rows of that day with the value and correct them at the "
                    "source; a newer version of a row replaces the wrong one.",
                    table_name=feed.table_name,
                    column=column,
                )
            )
    return expectations


def _drift(feed: Feed) -> list[Expectation]:
    drift = [
        Expectation(
            name="shares_stay_near_those_of_28_days",
            frame="mix",
            type=BETWEEN,
            kwargs=between("share_change", -feed.drift, feed.drift),
            severity="warning",
            why="A share of nulls, of a currency, a country, a status or another category that "
            "leaps from one day to the next is seldom the customers' doing: a column stopped "
            f"being filled, a market's export is missing, or a value got a new name. {feed.cost}",
            owner=feed.owner,
            what_to_do="Plot the column's share from quality.feed_profile; ask the source what "
            "changed on that day. If it is a launch or a campaign, nothing is to be done.",
            table_name=feed.table_name,
        ),
    ]
    drift += [
        Expectation(
            name=f"mean_{column}_keeps_its_scale",
            frame="means",
            type=BETWEEN,
            kwargs=between(f"mean_ratio_{column}", 0.2, 5),
            severity="warning",
            why=f"A mean of `{column}` that leaps fivefold is a wrong unit (10.00 sent as 10 or as "
            f"100000, milliseconds as seconds), and sums are wrong by that factor. {feed.cost}",
            owner=feed.owner,
            what_to_do="Compare some rows of the day with the source; money is in the currency's "
            "minor unit. Send corrected versions of the rows: the newest one counts.",
            table_name=feed.table_name,
            column=column,
        )
        for column in feed.scales
    ]
    return drift
