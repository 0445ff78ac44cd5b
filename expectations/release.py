"""The suite of the released marts: what must be true of them, and what is at least plausible.

Critical is only what no data, however small or odd, can make true: a bridge that does not add up, a
cohort larger than itself, survival that rises. Plausibility (a month's MRR against the last one's)
is a warning, since a business may leap. Judged on counts of what breaks, taken by the engine.
"""

from expectations.suites import Expectation, Suite, between

BETWEEN = "expect_column_values_to_be_between"
OWNER = "analytics"


def release_suite() -> Suite:
    """The suite that decides whether what was built may be released."""
    return Suite(
        name="release",
        expectations=(
            *_mrr_bridge(),
            *_churn(),
            *_revenue(),
            *_cohorts(),
            *_survival(),
            *_facts_and_totals(),
            *_reconciliation(),
            *_headline(),
        ),
    )


def _never(
    name: str,
    frame: str,
    counted: str,
    table_name: str,
    why: str,
    what_to_do: str,
    column: str = "all",
) -> Expectation:
    """A critical expectation that a count or a difference is 0 in every row of a frame."""
    return Expectation(
        name=name,
        frame=frame,
        type=BETWEEN,
        kwargs=between(counted, 0, 0),
        severity="critical",
        why=why,
        owner=OWNER,
        what_to_do=what_to_do,
        table_name=table_name,
        column=column,
    )


def _mrr_bridge() -> list[Expectation]:
    table_name = "marts.mrr_bridge_monthly"
    add_up = (
        "In build.duckdb, add up intermediate.int_subscriptions__movements of that month by "
        "plan_tier and category, with country_code and acquisition_channel of "
        "staging.stg_subscribers__subscribers, and compare with the bridge cell by cell; a "
        "difference is a defect in the models, not in the data."
    )
    follow = (
        "In build.duckdb, follow the cell through marts.mrr_bridge_monthly, month by month, to the "
        "first that is missing or does not open with the closing before; it is a defect in the "
        "models, not in the data."
    )
    return [
        _never(
            "mrr_bridge_adds_up",
            "release_mrr_bridge",
            "broken_cells",
            table_name,
            "Opening plus all movements is the closing, to the fourth decimal, or some movement is "
            "told that did not happen, or hidden that did.",
            add_up,
            "closing_mrr_amount",
        ),
        _never(
            "mrr_opens_where_the_month_before_closed",
            "release_mrr_bridge",
            "cells_off_last_closing",
            table_name,
            "MRR that appears or vanishes between two months is explained by no movement.",
            follow,
            "opening_mrr_amount",
        ),
        _never(
            "mrr_bridge_has_every_month",
            "release_mrr_bridge",
            "cells_before_a_gap",
            table_name,
            "A cell that is missing in a month after it had somebody makes charts and sums by "
            "month wrong without a trace.",
            follow,
            "month_start",
        ),
        _never(
            "mrr_movements_have_their_sign",
            "release_mrr_bridge",
            "cells_of_wrong_sign",
            table_name,
            "A positive churn or a negative level adds up all the same, and means nothing.",
            add_up,
        ),
        _never(
            "mrr_transfers_cancel_out",
            "release_mrr_bridge",
            "transfer_difference_amount",
            table_name,
            "A move between tiers neither makes nor loses MRR.",
            add_up,
            "transfer_in_mrr_amount",
        ),
    ]


def _churn() -> list[Expectation]:
    table_name = "marts.churn_monthly"
    compare = (
        "Compare the month with marts.fct_subscriber_lifetimes, start by start and end by end; a "
        "difference is a defect in the models, not in the data."
    )
    return [
        _never(
            "subscriber_bridge_adds_up",
            "release_churn",
            "broken_cells",
            table_name,
            "Opening plus those who came, less those who left, is the closing, or somebody is "
            "counted twice or not at all.",
            compare,
            "closing_subscribers",
        ),
        _never(
            "subscribers_open_where_the_month_before_closed",
            "release_churn",
            "cells_off_last_closing",
            table_name,
            "Subscribers who appear or vanish between two months neither came nor left.",
            compare,
            "opening_subscribers",
        ),
        _never(
            "subscriber_bridge_has_every_month",
            "release_churn",
            "cells_before_a_gap",
            table_name,
            "A cell that is missing in a month after it had somebody makes charts and sums by "
            "month wrong without a trace.",
            "In build.duckdb, compare the cell's months with those of "
            "intermediate.int_subscriptions__movements_monthly, of which the mart is made; it is a "
            "defect in the models, not in the data.",
            "month_start",
        ),
        _never(
            "churn_is_typed",
            "release_churn",
            "cells_with_untyped_churn",
            table_name,
            "Every churn is voluntary, involuntary or other, and one of them only.",
            compare,
            "churned_subscribers",
        ),
        _never(
            "subscriber_counts_are_not_negative",
            "release_churn",
            "negative_cells",
            table_name,
            "Nobody has a negative number of subscribers.",
            compare,
        ),
        _never(
            "subscriber_transfers_cancel_out",
            "release_churn",
            "transfer_difference",
            table_name,
            "Who leaves one tier for another arrives there.",
            "In build.duckdb, list the transfer_in and transfer_out of that month in "
            "intermediate.int_subscriptions__movements by subscriber_id and moved_at; one of a "
            "pair is missing or differs, which is a defect in the models, not in the data.",
            "transferred_in",
        ),
        _never(
            "churn_rate_is_a_rate",
            "release_churn",
            "cells_losing_more_than_they_had",
            table_name,
            "No more of the opening can leave than were in it, in any tier, country and channel.",
            compare,
            "churned_from_opening",
        ),
    ]


def _revenue() -> list[Expectation]:
    table_name = "marts.revenue_monthly"
    return [
        _never(
            "net_revenue_is_recognised_less_refunded",
            "release_revenue",
            "net_difference_amount",
            table_name,
            "The headline of revenue must follow from its own two terms.",
            "Look at the month's row: the three columns stand beside each other.",
            "net_revenue_amount",
        ),
        Expectation(
            name="collected_is_not_negative",
            frame="release_revenue",
            type=BETWEEN,
            kwargs=between("collected_amount", 0),
            severity="critical",
            why="A payment below 0 is quarantined, so a sum of payments cannot be below 0.",
            owner=OWNER,
            what_to_do="Look for rates or payments below 0 that passed the quarantine's rules.",
            table_name=table_name,
            column="collected_amount",
        ),
        Expectation(
            name="average_paying_subscribers_are_not_negative",
            frame="release_revenue",
            type=BETWEEN,
            kwargs=between("average_paying_subscribers", 0),
            severity="critical",
            why="ARPPU divides by it: below 0 it turns revenue into loss.",
            owner=OWNER,
            what_to_do="Look for paying time that ends before it begins in the month's lifetimes.",
            table_name=table_name,
            column="average_paying_subscribers",
        ),
        Expectation(
            name="who_pays_has_access",
            frame="release_revenue",
            type=BETWEEN,
            kwargs=between("average_not_paying_subscribers", 0),
            severity="critical",
            why="More payers than people with access would make ARPU larger than ARPPU.",
            owner=OWNER,
            what_to_do="Compare paying time with time of access, subscriber by subscriber.",
            table_name=table_name,
            column="average_subscribers",
        ),
    ]


def _cohorts() -> list[Expectation]:
    table_name = "marts.retention_cohorts"
    compare = (
        "Count the cohort's first lifetimes in marts.fct_subscriber_lifetimes at the ends of the "
        "months around the cell; a difference is a defect in the models."
    )
    return [
        _never(
            "retained_are_of_the_cohort",
            "release_cohorts",
            "cells_above_size",
            table_name,
            "A cohort cannot keep more subscribers than it had.",
            compare,
            "retained_subscribers",
        ),
        _never(
            "never_lapsed_are_of_the_retained",
            "release_cohorts",
            "cells_with_too_many_never_lapsed",
            table_name,
            "Who never lapsed is still there, so they are among the retained.",
            compare,
            "never_lapsed_subscribers",
        ),
        _never(
            "never_lapsed_only_fall",
            "release_cohorts",
            "rises_of_never_lapsed",
            table_name,
            "Who lapsed once has lapsed for good: the line can only fall.",
            compare,
            "never_lapsed_subscribers",
        ),
        _never(
            "cohorts_keep_their_size",
            "release_cohorts",
            "changes_of_size",
            table_name,
            "The cohort is that of the first start and never changes, or retention is flattered.",
            compare,
            "cohort_size",
        ),
        _never(
            "cohort_months_are_in_place",
            "release_cohorts",
            "cells_out_of_place",
            table_name,
            "A missing month, or a figure after an open month, shifts the curve that people read.",
            compare,
            "months_since_start",
        ),
        *(
            Expectation(
                name=f"{side}_retention_is_a_rate",
                frame="release_cohorts",
                type=BETWEEN,
                kwargs=between(f"{side}_retention_rate", 0, 1),
                severity="critical",
                why="Retention is a share of the cohort: 0 to 1.",
                owner=OWNER,
                what_to_do=compare,
                table_name=table_name,
                column="retention_rate",
            )
            for side in ("lowest", "highest")
        ),
    ]


def _survival() -> list[Expectation]:
    table_name = "marts.survival_curves"
    recompute = (
        "Recompute the stratum from marts.fct_subscriber_lifetimes with any survival package and "
        "compare step by step; a difference is a defect in the models."
    )
    return [
        *(
            Expectation(
                name=f"{side}_survival_is_a_probability",
                frame="release_survival",
                type=BETWEEN,
                kwargs=between(f"{side}_survival", 0, 1),
                severity="critical",
                why="Survival is a probability: 0 to 1. Lifetimes and values are computed from it.",
                owner=OWNER,
                what_to_do=recompute,
                table_name=table_name,
                column="survival",
            )
            for side in ("lowest", "highest")
        ),
        _never(
            "survival_only_falls",
            "release_survival",
            "rises",
            table_name,
            "The dead do not rise: a curve that does was put together in the wrong order.",
            recompute,
            "survival",
        ),
        _never(
            "intervals_hold_their_survival",
            "release_survival",
            "wrong_intervals",
            table_name,
            "An interval that leaves out its own estimate, or 0 to 1, says nothing about it.",
            recompute,
            "ci_lower",
        ),
        _never(
            "risk_sets_shrink_by_who_left",
            "release_survival",
            "wrong_risk_sets",
            table_name,
            "Everybody is at risk until churned or censored, and then no more.",
            recompute,
            "at_risk",
        ),
    ]


def _facts_and_totals() -> list[Expectation]:
    return [
        _never(
            "facts_are_possible",
            "release_facts",
            "impossible_rows",
            "marts",
            "An interval that ends before it begins, a positive churn, more valid plays than "
            "plays: every sum over such rows is wrong.",
            "Query the fact for the rows; a raw row of that kind should have been quarantined.",
        ),
        _never(
            "marts_agree_with_each_other",
            "release_totals",
            "difference",
            "marts",
            "Two marts that give one figure differently make people trust neither.",
            "The name of the difference says which two; compare them month by month until the "
            "first that differs.",
        ),
    ]


def _reconciliation() -> list[Expectation]:
    return [
        _never(
            "every_row_is_accounted_for",
            "release_rows",
            "lost_rows",
            "quality.row_reconciliation",
            "A raw row that is neither accepted nor accounted for was lost in silence.",
            "Find keys of the raw table that are in no place of the reconciliation; nothing must "
            "be released before they are.",
            "raw_rows",
        ),
        Expectation(
            name="row_counts_are_not_negative",
            frame="release_rows",
            type=BETWEEN,
            kwargs=between("smallest_count", 0),
            severity="critical",
            why="A negative count hides as many lost rows as it is below 0.",
            owner=OWNER,
            what_to_do="See which count of the table's row is below 0, and how it is taken.",
            table_name="quality.row_reconciliation",
        ),
        _never(
            "feeds_were_judged_on_all_rows",
            "release_rows",
            "unprofiled_rows",
            "quality.feed_profile",
            "The feeds were judged on other rows than the marts are made of, so their verdict is "
            "worth nothing.",
            "Compare the rows by day with the raw table below the horizon; the two read the same "
            "table in one run.",
            "value",
        ),
        Expectation(
            name="quarantine_is_small",
            frame="release_rows",
            type=BETWEEN,
            kwargs=between("quarantined_share", None, 0.001),
            severity="warning",
            why="Quarantined rows are in no mart: figures are too low by them until they are "
            "mended.",
            owner=OWNER,
            what_to_do="Group quality.quarantined_rows by rule: most of them usually have one "
            "cause.",
            table_name="quality.row_reconciliation",
            column="quarantined_rows",
        ),
        _never(
            "every_minor_unit_is_accounted_for",
            "release_money",
            "lost_minor",
            "quality.money_reconciliation",
            "Raw lines are recognised, future or excluded for a reason, to the last minor unit, or "
            "revenue is wrong.",
            "Compare lines and their shares in that currency; a share that rounds twice is the "
            "usual cause.",
            "raw_minor",
        ),
    ]


def _headline() -> list[Expectation]:
    what_to_do = (
        "Ask whether something happened (a launch, a price, a promotion that ended). If nothing "
        "did, look at the warnings of the feeds first, then at the month by plan tier and country."
    )
    mrr, revenue, churn = (
        ("marts.mrr_bridge_monthly", "closing_mrr_amount"),
        ("marts.revenue_monthly", "net_revenue_amount"),
        ("marts.churn_monthly", "churned_from_opening"),
    )
    bands = (
        # the query has taken out what is within five spreads of the months before: these are leaps
        # too small for anybody to ask about
        ("mrr_is_near_last_months", "mrr_ratio", (0.95, 1 / 0.95), mrr),
        ("net_revenue_is_near_last_months", "net_revenue_ratio", (0.95, 1 / 0.95), revenue),
        ("churn_rate_is_near_the_usual", "churn_rate_change", (-0.01, 0.01), churn),
    )
    return [
        Expectation(
            name=name,
            frame="release_headline",
            type=BETWEEN,
            kwargs=between(figure, low, high),
            severity="warning",
            why="A headline that leaps further from its usual way than the months before it did is "
            "first read as a fault of the data, and should be explained before somebody else finds "
            "it.",
            owner=OWNER,
            what_to_do=what_to_do,
            table_name=table_name,
            column=column,
        )
        for name, figure, (low, high), (table_name, column) in bands
    ]
