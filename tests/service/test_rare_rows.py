"""Met rarely and released all the same: a clock that went forward, a short payer, absurd plays."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from tests.conftest import RunPipeline
from tests.definitions.intake import Row
from tests.definitions.pipeline import write_raw
from tests.definitions.stories import change, subscriber, subscription_story, told

# half past midnight on 6 April in Berlin, a week after the clock went forward
AS_OF = "2026-04-05T22:30:00Z"
# the last microsecond of January there
FIRST = "2026-01-31 22:59:59.999999"
ABSURD = 2**62
# ids of which a key tells no more than how long they are, and of both the same
EVE, FAY = "eve|7", "fay|7"


def play(session_id: str, **given: object) -> Row:
    return told(
        "playback_sessions",
        session_id=session_id,
        subscriber_id="ana",
        started_at="2026-02-03 19:00",
        ended_at="2026-02-03 20:00",
        **given,
    )


@pytest.fixture(scope="module")
def release(
    run_pipeline: RunPipeline, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Ana agreed to be contacted, begins at the end of January, and leaves in February.

    In April Bo begins at one dong a month, and Cy at a dollar for very many months. Dee asks to be
    erased, and then her request comes again without a time; Eve asks, whose own row is quarantined,
    and Fay, who is in no file any more.
    """
    raw = subscription_story(
        change(FIRST),
        change("2026-02-10", status="ended", end_reason="cancelled"),
        change(
            "2026-04-01", subscription_id="s2", subscriber_id="bo", amount_minor=1, currency="VND"
        ),
        change(
            "2026-04-01", subscription_id="s3", subscriber_id="cy", billing_period_count=2**63 - 1
        ),
        change("2026-04-01", subscription_id="s4", subscriber_id="dee"),
        erasure_requests=[
            told("erasure_requests", subscriber_id="dee", requested_at="2026-04-02"),
            told(
                "erasure_requests",
                subscriber_id="dee",
                requested_at=None,
                recorded_at="2026-04-03",
            ),
            told("erasure_requests", subscriber_id=EVE, requested_at="2026-04-02"),
            told("erasure_requests", subscriber_id=FAY, requested_at="2026-04-02"),
        ],
        subscribers=[
            subscriber(EVE, is_marketing_opt_in=None),
            subscriber("dee"),
            subscriber(is_marketing_opt_in=True),
            subscriber("bo"),
            subscriber("cy", birth_year=-(2**63)),
        ],
        exchange_rates=[
            told("exchange_rates", rate_date="2026-04-01", currency="VND", rate="0.00004")
        ],
        invoices=[
            told(
                "invoices",
                invoice_id="i1",
                subscriber_id="ana",
                subscription_id="s1",
                issued_at=FIRST,
                status="paid",
                total_minor=6000,
            )
        ],
        invoice_lines=[
            told(
                "invoice_lines",
                invoice_line_id="l1",
                invoice_id="i1",
                kind="one_off",
                amount_minor=6000,
            )
        ],
        titles=[
            told("titles", title_id="hour", runtime_seconds=3600),
            told("titles", title_id="film", runtime_seconds=ABSURD),
        ],
        playback_sessions=[
            play("v1", title_id="hour", watched_seconds=ABSURD),
            play("v2", title_id="film", watched_seconds=3000),
            *(
                play(session, watched_seconds=60, startup_ms=ABSURD, rebuffer_ms=ABSURD)
                for session in ("v3", "v4", "v5")
            ),
        ],
        campaign_touches=[
            # the last hour of 22 March in Berlin: 15 dates ago, and less than 14 times 24 hours
            told(
                "campaign_touches",
                touch_id="t1",
                subscriber_id="ana",
                purpose="win_back",
                sent_at="2026-03-22 22:45",
            )
        ],
    )
    folder = tmp_path_factory.mktemp("narrow") / "raw"
    write_raw(raw, folder, random.Random(1))  # noqa: S311 - nothing is secret
    variables = json.dumps({"reporting_timezone": "Europe/Berlin", "max_quarantined_share": 1})
    place = run_pipeline(folder, as_of=AS_OF, variables=variables)
    with duckdb.connect(str(place.release_file), read_only=True) as connection:
        yield connection


def test_whoever_was_left_alone_for_the_days_of_the_pause_is_contacted(
    release: duckdb.DuckDBPyConnection,
) -> None:
    assert release.execute(
        "select audience, subscriber_id, last_contacted_at::text from marts.audiences"
    ).fetchall() == [("win_back", "ana", "2026-03-22 22:45:00")]


def test_a_quotient_beyond_money_is_none(release: duckdb.DuckDBPyConnection) -> None:
    """60 dollars for a microsecond of 2,678,400 seconds would be 160,704,000,000,000 a month."""
    january, february, march, _ = release.execute(
        "select net_revenue_amount, average_paying_subscribers, arppu_amount, arpu_amount"
        " from marts.revenue_monthly where month_start >= '2026-01-01' order by month_start"
    ).fetchall()
    assert january[0] == Decimal(60)
    assert january[1] == pytest.approx(1e-6 / 2678400)
    assert january[2:] == (None, None)
    # nine days of the month, and no revenue
    assert february[2:] == (0, 0)
    assert march[2:] == (None, None)


def test_absurd_integers_are_counted(release: duckdb.DuckDBPyConnection) -> None:
    """Of the two plays whose runtime is known one was watched to the end."""
    assert release.execute(
        "select plays, completed_plays, watched_seconds from marts.viewing_daily"
    ).fetchall() == [(5, 1, ABSURD + 3180)]
    ((mean, median),) = release.execute(
        "select mean_startup_ms, median_startup_ms from marts.experience_monthly"
        " where mean_startup_ms is not null"
    ).fetchall()
    assert mean == median == ABSURD


def test_who_pays_less_than_the_reporting_currency_can_tell_pays(
    release: duckdb.DuckDBPyConnection,
) -> None:
    """A dong is 0.00004 dollars; ten dollars for 2^63 - 1 months are a gift."""
    assert release.execute(
        "select subscriber_id, status, mrr_amount from marts.dim_subscribers"
        " where subscriber_id in ('bo', 'cy') order by 1"
    ).fetchall() == [("bo", "paying", 0), ("cy", "complimentary", 0)]


def test_whose_request_is_quarantined_is_not_erased_and_told(
    release: duckdb.DuckDBPyConnection,
) -> None:
    assert release.execute(
        "select valid_from::text from marts.fct_subscription_states where subscriber_id = 'dee'"
    ).fetchall() == [("2026-04-01 00:00:00",)]
    assert release.execute(
        "select check_name, failures from quality.check_results"
        " where kind = 'data test' and status = 'warned'"
    ).fetchall() == [("assert_who_asked_is_erased", 2)]
