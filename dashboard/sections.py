"""The page's sections and charts: what each shows, in words, and which figures it needs.

How a chart is drawn is in `scripts`, by the chart's name.
"""

from dataclasses import dataclass

PLAN, COUNTRY, CHANNEL = "plan", "country", "channel"
ALL_FILTERS = (PLAN, COUNTRY, CHANNEL)


@dataclass(frozen=True)
class Chart:
    """A chart: `name` for the scripts, `needs` of the extract's tables, `filters` that it follows.

    `numerator` and `denominator` are None for a figure that is no quotient. Where `is_one_filter`
    is set, only one of its filters can be followed at a time. `when_none` says what it means that
    there are no rows, where that is no lack.
    """

    name: str
    title: str
    unit: str
    definition: str
    source: str
    needs: tuple[str, ...]
    filters: tuple[str, ...] = ()
    numerator: str | None = None
    denominator: str | None = None
    is_one_filter: bool = False
    is_wide: bool = False
    when_none: str | None = None


@dataclass(frozen=True)
class Section:
    """A part of the page with its charts."""

    name: str
    title: str
    lead: str
    charts: tuple[Chart, ...]


SECTIONS = (
    Section(
        "headline",
        "Headline",
        "Where the service stands and where it is going.",
        (
            Chart(
                "mrr_trend",
                "MRR at the end of each month",
                "reporting currency per month",
                "Price per month of every subscription that pays, without tax and one-offs, just"
                " before the month's end; of the open month, so far.",
                "marts.mrr_bridge_monthly: closing_mrr_amount",
                ("mrr",),
                ALL_FILTERS,
            ),
            Chart(
                "subscriber_trend",
                "Subscribers at the end of each month",
                "subscribers",
                "Subscribers in a lifetime: who pays, or having paid is paused. Each counts once,"
                " however many subscriptions.",
                "marts.churn_monthly: closing_subscribers",
                ("subscribers",),
                ALL_FILTERS,
            ),
            Chart(
                "churn_trend",
                "Monthly churn rate of subscribers",
                "% of the opening subscribers",
                "Share of the subscribers at the month's opening whose lifetime ended in it. An"
                " open month has none.",
                "marts.churn_monthly",
                ("subscribers",),
                ALL_FILTERS,
                numerator="subscribers of the opening who churned (churned_from_opening)",
                denominator="subscribers at the opening (opening_subscribers)",
            ),
            Chart(
                "arppu_trend",
                "Net revenue per paying subscriber (ARPPU)",
                "reporting currency per month",
                "Net revenue of a month per subscriber who paid, weighted by time. Of the open"
                " month, its elapsed part.",
                "marts.revenue_monthly: arppu_amount",
                ("revenue",),
                numerator="net revenue (net_revenue_amount)",
                denominator="paying time of all subscribers ÷ length of the month"
                " (average_paying_subscribers)",
            ),
            Chart(
                "revenue_trend",
                "Net revenue, and what was refunded",
                "reporting currency per month",
                "Invoice lines spread over the days that they were paid for, without tax, less"
                " refunds and chargebacks on their own days.",
                "marts.revenue_monthly: net_revenue_amount, refunded_amount",
                ("revenue",),
                is_wide=True,
            ),
        ),
    ),
    Section(
        "mrr",
        "MRR movements",
        "What made MRR grow, and what took it away.",
        (
            Chart(
                "mrr_bridge",
                "How MRR at the opening became MRR at the closing",
                "reporting currency, in the chosen month",
                "Opening MRR, each kind of movement, and closing MRR; they add up exactly."
                " Transfers between tiers cancel out unless a plan is chosen.",
                "marts.mrr_bridge_monthly",
                ("mrr",),
                ALL_FILTERS,
                is_wide=True,
            ),
            Chart(
                "mrr_movements",
                "MRR gained and lost by kind of movement",
                "reporting currency per month",
                "Changes of level in each month: new, reactivation, expansion, resume above the"
                " line, contraction, churn, pause below it; exchange rates either way.",
                "marts.mrr_bridge_monthly",
                ("mrr",),
                ALL_FILTERS,
            ),
            Chart(
                "mrr_retention",
                "MRR kept from those who were there, with and without expansion",
                "% of opening MRR",
                "Gross: the share of the opening MRR that was not lost in the month; net: the same"
                " with what expanded and resumed. Without new and reactivation MRR, exchange"
                " rates and moves between tiers; what those who came in the month lost or gained"
                " since is in it. Of one plan it is no share of its opening: what a move to a"
                " cheaper plan loses counts there. An open month has none.",
                "marts.mrr_bridge_monthly",
                ("mrr",),
                ALL_FILTERS,
                numerator="opening + contraction + churn + pause MRR; for net also expansion and"
                " resume",
                denominator="opening MRR",
            ),
        ),
    ),
    Section(
        "retention",
        "Retention",
        "Of those who came in a month, how many are still here.",
        (
            Chart(
                "retention_heatmap",
                "Share of each month's newcomers who are still here",
                "% of the cohort",
                "A cohort is the month of the first lifetime and never changes. Retained is who is"
                " in any lifetime at the end of a month, returners included; never lapsed, who is"
                " still in the first. A month that is not over is left blank. A chosen plan is that"
                " of the first paying state: nobody is moved by what came later. Of a plan, country"
                " or channel, the 8 largest, the cohorts of the last three years.",
                "marts.retention_cohorts, marts.retention_cohorts_by_stratum",
                ("retention", "retention_strata"),
                ALL_FILTERS,
                numerator="subscribers of the cohort in a lifetime at the month's end"
                " (retained_subscribers, never_lapsed_subscribers)",
                denominator="subscribers of the cohort (cohort_size)",
                is_one_filter=True,
                is_wide=True,
            ),
        ),
    ),
    Section(
        "survival",
        "Survival",
        "How long subscribers stay, those who are still here included.",
        (
            Chart(
                "survival_curves",
                "Share of subscribers who last longer than a tenure",
                "% of first lifetimes, by days since the start",
                "Kaplan-Meier estimate on first lifetimes, with its 95 % band; those who go on"
                " count for as long as they have been seen. A chosen plan, country or channel"
                " shows its own curve beside that of all, if it is one of the 12 largest.",
                "marts.survival_curves",
                ("survival",),
                ALL_FILTERS,
                numerator="of each day, lifetimes that ended at that tenure (churned)",
                denominator="of each day, lifetimes of that tenure or more (at_risk); the share is"
                " the product of 1 − numerator ÷ denominator",
                is_one_filter=True,
                is_wide=True,
            ),
        ),
    ),
    Section(
        "churn",
        "Churn",
        "Who leaves, in which way, and what they say and did before.",
        (
            Chart(
                "churn_types",
                "Churned subscribers by type",
                "subscribers per month",
                "Voluntary: they chose to go. Involuntary: a payment never came. Other: ended by"
                " the service, or a gift that ran out. By the state that ended the lifetime.",
                "marts.churn_monthly",
                ("subscribers",),
                ALL_FILTERS,
            ),
            Chart(
                "churn_circumstances",
                "What those had in common who left, beside those who stayed",
                "% of those who left, of those who stayed",
                "Of the chosen month. Viewing and playback are those of the 28 days before. A"
                " larger share among those who left says where to look; it is no proof of a cause.",
                "marts.churn_by_reason_monthly",
                ("circumstances",),
                numerator="lifetimes of this value that ended in the month, that went on at its"
                " end (churned_subscribers, staying_subscribers)",
                denominator="those of all values",
            ),
            Chart(
                "churn_definitions",
                "The chosen month's churn rate as others define it",
                "% of what each definition divides by",
                "The same data under the definitions that others publish, beside ours (Tenure)."
                " Each divides by something else; docs/churn-rates.md has the formulas.",
                "marts.churn_rate_definitions",
                ("definitions",),
                numerator="what the definition counts as churned (numerator)",
                denominator="what it divides by (denominator)",
            ),
            Chart(
                "churn_definitions_trend",
                "Churn rate by definition, month by month",
                "% of what each definition divides by",
                "Ours drawn bold. A rate that is not final yet is left out.",
                "marts.churn_rate_definitions",
                ("definitions",),
                numerator="what the definition counts as churned (numerator)",
                denominator="what it divides by (denominator)",
            ),
        ),
    ),
    Section(
        "value",
        "Lifetime value",
        "What subscribers bring, and whether a channel is worth what it costs.",
        (
            Chart(
                "clv_cohorts",
                "Lifetime value per subscriber by month of acquisition",
                "reporting currency per subscriber",
                "What the cohort has brought, net of tax, refunds and fees, and what is to be"
                " expected of it within the horizon, discounted, from the survival curve fitted"
                " over renewals. Who has no forecast in a cohort of which others have one counts as"
                " bringing nothing more: with many of them it is too low.",
                "marts.clv_cohorts",
                ("values",),
                (CHANNEL,),
                numerator="historic_value_amount, expected_remaining_value_amount",
                denominator="subscribers of the cohort (cohort_size), cohorts that nothing can be"
                " foretold of left out",
            ),
            Chart(
                "ltv_to_cac",
                "Lifetime value to acquisition cost by month of acquisition",
                "times the acquisition cost",
                "Lifetime value of the cohorts of a month ÷ marketing spend of that month, over"
                " channels on which money was spent. 3 or more is commonly called healthy. Who has"
                " no forecast counts as bringing nothing more.",
                "marts.clv_cohorts",
                ("values",),
                (CHANNEL,),
                numerator="clv_amount, where something was spent",
                denominator="acquisition_cost_amount, spend that brought nobody included",
            ),
            Chart(
                "value_by_channel",
                "Lifetime value and acquisition cost per subscriber by channel",
                "reporting currency per subscriber",
                "Over the complete months of acquisition that are shown: value of all of them, cost"
                " and the ratio of those in which something was spent. Where they are not the same"
                " months, the ratio is not the one bar over the other.",
                "marts.clv_cohorts",
                ("values",),
                (CHANNEL,),
                numerator="clv_amount; acquisition_cost_amount",
                denominator="cohort_size; cohort_size of the months with spend",
                is_wide=True,
            ),
        ),
    ),
    Section(
        "segments",
        "Segments",
        "Who they are now, and who moved where.",
        (
            Chart(
                "segment_sizes",
                "Accounts by segment now",
                "accounts",
                "Everybody with an account, who left or never paid too, is in exactly one segment"
                " of each segmentation, judged by what is known at the release's horizon.",
                "marts.subscriber_segments",
                ("segments",),
                numerator="accounts of the segment",
                denominator="accounts of all segments",
            ),
            Chart(
                "segment_churn",
                "Share of each segment that churned in the following month",
                "% of the segment, with its 95 % interval",
                "Of the subscribers who were in the segment at the end of the latest month whose"
                " next month is over, those whose lifetime ended in that next month.",
                "marts.segment_churn_monthly",
                ("segment_churn",),
                numerator="churned_next_month",
                denominator="subscribers of the segment who paid or paused (subscribers)",
            ),
            Chart(
                "segment_flows",
                "Who moved from which segment to which in the chosen month",
                "subscribers",
                "Segments at the end of the month before, left, and at the end of the month, right;"
                " newcomers were not there yet. Those who stayed where they were can be left out."
                " Of the last 13 months, the 40 most frequent moves.",
                "marts.segment_transitions",
                ("transitions",),
                numerator="subscribers who took that step (subscribers)",
                denominator="subscribers who were in the first segment (from_subscribers)",
                is_wide=True,
            ),
        ),
    ),
    Section(
        "engagement",
        "Engagement and playback",
        "How many watch, how much, and how well it plays.",
        (
            Chart(
                "active_viewers",
                "Subscribers who watch: in the month, and on an average day",
                "subscribers",
                "Active in a month (MAU) is who watched anything in it or tried to, paying or not;"
                " on an average day (DAU), viewing days ÷ days of the month that have begun.",
                "marts.engagement_monthly",
                ("engagement",),
                (PLAN,),
            ),
            Chart(
                "stickiness",
                "Share of the month's viewers who watch on an average day",
                "% of monthly active subscribers",
                "Stickiness: DAU ÷ MAU. An open month has none.",
                "marts.engagement_monthly: stickiness_rate",
                ("engagement",),
                (PLAN,),
                numerator="mean daily active subscribers",
                denominator="monthly active subscribers",
            ),
            Chart(
                "watched_hours",
                "Hours watched per paying subscriber",
                "hours per month",
                "Who paid and watched nothing counts as 0. An open month has none.",
                "marts.engagement_monthly: watched_hours_per_paying_subscriber",
                ("engagement",),
                (PLAN,),
                numerator="hours watched on days that were paid for (paid_watched_seconds)",
                denominator="paying subscribers, weighted by time (average_paying_subscribers)",
            ),
            Chart(
                "playback",
                "Playback by device",
                "as chosen",
                "Start-up failures: plays that never started. Errors: plays that started and were"
                " ended by an error. Rebuffering: time stalled ÷ time watched. Start-up time: from"
                " pressing play, median and 95th percentile.",
                "marts.experience_monthly",
                ("experience",),
                numerator="startup_failures; error_plays; rebuffer_seconds",
                denominator="plays; plays; buffer_watched_seconds",
            ),
        ),
    ),
    Section(
        "titles",
        "Titles",
        "What is watched, and whether its early viewers stay.",
        (
            Chart(
                "top_titles",
                "Most watched titles",
                "hours watched",
                "Of all time, the 20 with the most hours.",
                "marts.title_performance: watched_hours",
                ("titles",),
            ),
            Chart(
                "title_survival",
                "Survival of a title's early viewers against that of others",
                "percentage points, with twice the standard error",
                "Early viewers are those with a valid play by the landmark day after the first"
                " payment. Difference of two Kaplan-Meier estimates at the horizon; what goes"
                " together is not yet a cause. Of the 40 most watched titles, the ten at each end.",
                "marts.title_performance: survival_difference",
                ("titles",),
                numerator="survival of early viewers − survival of others",
                denominator="none: a difference of shares",
            ),
        ),
    ),
    Section(
        "funnel",
        "Lifecycle funnel",
        "From reach to advocacy, against targets.",
        (
            Chart(
                "funnel",
                "Each stage's rate against its target in the chosen month",
                "% of the stage's own base",
                "Each stage has its own metric and its own base; bars are no flow from one to the"
                " next. Targets are rows of a seed. An open month has no rate.",
                "marts.lifecycle_funnel",
                ("funnel",),
                numerator="numerator of the stage's metric",
                denominator="denominator of the stage's metric",
            ),
            Chart(
                "funnel_trend",
                "A stage's rate and its target, month by month",
                "% of the stage's own base",
                "As chosen. An open month has no rate.",
                "marts.lifecycle_funnel",
                ("funnel",),
                numerator="numerator of the stage's metric",
                denominator="denominator of the stage's metric",
            ),
        ),
    ),
    Section(
        "risk",
        "Risk to leave",
        "Who is likely to go, and how well that is foretold.",
        (
            Chart(
                "risk_deciles",
                "Subscribers expected to leave, by tenth of risk",
                "subscribers within the horizon",
                "Probabilities added up over the tenth of those who pay with the highest risk"
                " (1), the next tenth, and so on.",
                "marts.churn_risk",
                ("risk",),
            ),
            Chart(
                "risk_scorecard",
                "How well the model foretold a month it had not seen, beside a simple rule",
                "AUC: 0.5 is chance, 1 is perfect",
                "Area under the ROC curve: the probability that one who left was ranked above one"
                " who did not. The table has calibration, log-loss and lift as well.",
                "marts.churn_risk_scorecard",
                ("scorecard",),
            ),
        ),
    ),
    Section(
        "quality",
        "Data quality",
        "Whether these figures can be trusted: checks, rows, money, freshness, restatements.",
        (
            Chart(
                "checks",
                "Checks of this release that passed, warned and failed",
                "checks",
                "Data tests and expectations of the run that made the release, by what they judge."
                " A failed one would have stopped it.",
                "quality.check_results",
                ("checks",),
            ),
            Chart(
                "raw_rows",
                "Where every raw row ended",
                "% of the table's rows",
                "Accepted, copies, older versions, quarantined, or beyond the horizon; each row in"
                " exactly one place.",
                "quality.row_reconciliation",
                ("raw_rows",),
                numerator="rows that ended there",
                denominator="rows of the raw table (raw_rows)",
            ),
            Chart(
                "money",
                "Where the money of the invoice lines ended",
                "% of the currency's raw amounts",
                "Recognised, still to be recognised, or excluded and why; per currency, to the"
                " minor unit.",
                "quality.money_reconciliation",
                ("money",),
                numerator="amounts that ended there",
                denominator="amounts of all raw lines (raw_minor)",
            ),
            Chart(
                "freshness",
                "How long ago each feed last delivered",
                "days before the newest day of any feed",
                "UTC day of the newest row of each raw table, beside the newest of any table.",
                "quality.feed_profile",
                ("freshness",),
            ),
            Chart(
                "quarantine",
                "Quarantined rows by table and rule",
                "rows",
                "Rows that break a rule of the data contract are kept out of every figure, and come"
                " back by themselves once what they lacked has arrived. Drawn are the 20 with the"
                " most rows.",
                "quality.quarantined_rows",
                ("quarantine",),
                is_wide=True,
                when_none="No row is quarantined.",
            ),
            Chart(
                "restatements",
                "Figures of closed months that a release changed",
                "the unit of the figure",
                "What a headline figure of a closed month was in the release before, and what it"
                " is since: the 60 newest. None is good news.",
                "quality.kpi_restatements",
                ("restatements",),
                when_none="No release has changed a figure of a closed month.",
                is_wide=True,
            ),
            Chart(
                "failed_checks",
                "Checks that did not pass",
                "failing rows",
                "Warnings that did not stop the release, and what to do about each.",
                "quality.check_results",
                ("failed_checks",),
                when_none="Every check passed.",
                is_wide=True,
            ),
            Chart(
                "releases",
                "Releases",
                "raw rows that each was built from",
                "The latest releases, this one first.",
                "quality.releases",
                ("releases",),
                is_wide=True,
            ),
        ),
    ),
)

CHARTS = tuple(chart for section in SECTIONS for chart in section.charts)
