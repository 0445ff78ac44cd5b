"""Money, worked out by hand: rates, fx, recognised revenue, refunds and averages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from .intake import Row
from .money import MissingRatesError, round_amount, round_half_away, running_share
from .reading import amounts, ends, marts_of, movements, rules
from .stories import at, change, subscriber, subscription_story, told


def rate(day: str, value: str, currency: str = "EUR") -> Row:
    return told("exchange_rates", rate_date=day, currency=currency, rate=value)


def invoice(issued_at: str = "2026-05-01", **given: object) -> Row:
    given.setdefault("invoice_id", "i1")
    return told("invoices", subscriber_id="ana", issued_at=issued_at, **given)


def line(start: str | None, end: str | None, amount_minor: int, **given: object) -> Row:
    given.setdefault("invoice_line_id", f"{start} {amount_minor}")
    given.setdefault("invoice_id", "i1")
    return told(
        "invoice_lines",
        period_start_at=start,
        period_end_at=end,
        amount_minor=amount_minor,
        **given,
    )


def billed(
    *lines: Row, invoices: list[Row] | None = None, **others: list[Row]
) -> dict[str, list[Row]]:
    return subscription_story(
        subscribers=[subscriber()],
        invoices=[invoice()] if invoices is None else invoices,
        invoice_lines=list(lines),
        **others,
    )


def paid(amount_minor: int, attempted_at: str = "2026-05-01", **given: object) -> Row:
    given.setdefault("payment_id", "y1")
    return told(
        "payments", invoice_id="i1", attempted_at=attempted_at, amount_minor=amount_minor, **given
    )


def returned(amount_minor: int, refunded_at: str, **given: object) -> Row:
    given.setdefault("refund_id", f"{refunded_at} {amount_minor}")
    return told(
        "refunds", payment_id="y1", refunded_at=refunded_at, amount_minor=amount_minor, **given
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.5", 1), ("-0.5", -1), ("1.5", 2), ("2.5", 3), ("-2.5", -3), ("0.49", 0), ("-1.51", -2)],
)
def test_a_half_goes_away_from_zero(value: str, expected: int) -> None:
    assert round_half_away(Fraction(value)) == expected
    assert round_amount(Fraction(value) / 10_000) == Decimal(expected).scaleb(-4)


def test_shares_of_a_running_total_add_up() -> None:
    thirds = [(Fraction(n, 3), Fraction(n + 1, 3)) for n in range(3)]
    assert [running_share(100, *third) for third in thirds] == [33, 34, 33]
    assert [running_share(-100, *third) for third in thirds] == [-33, -34, -33]


def test_the_months_rate_revalues_what_is_held() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-10", currency="EUR"),
            exchange_rates=[rate("2026-05-01", "1.1"), rate("2026-06-01", "1.05")],
        ),
        as_of=at("2026-07-01"),
    )
    assert amounts(marts, "mrr_bridge_monthly", "closing_mrr_amount") == {
        "2026-05": "11.0000",
        "2026-06": "10.5000",
    }
    assert movements(marts) == [
        ("2026-05-10", "new", "11.0000"),
        ("2026-06-01", "fx", "-0.5000"),
    ]


def test_an_upgrade_is_valued_at_its_own_months_rate() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-10", currency="EUR"),
            change("2026-06-15", currency="EUR", amount_minor=2000),
            exchange_rates=[rate("2026-05-01", "1.1"), rate("2026-06-01", "1.05")],
        ),
        as_of=at("2026-07-01"),
    )
    assert movements(marts)[1:] == [
        ("2026-06-01", "fx", "-0.5000"),
        ("2026-06-15", "expansion", "10.5000"),
    ]


def test_what_ends_at_the_first_instant_of_a_month_ends_at_its_rate() -> None:
    marts = marts_of(
        subscription_story(
            change("2026-05-10", currency="EUR"),
            change("2026-06-01", currency="EUR", status="ended"),
            exchange_rates=[rate("2026-05-01", "1.1"), rate("2026-06-01", "1.05")],
        ),
        as_of=at("2026-07-01"),
    )
    assert movements(marts)[1:] == [
        ("2026-06-01", "fx", "-0.5000"),
        ("2026-06-01", "churn", "-10.5000"),
    ]
    assert str(marts["fct_churn_events"][0]["mrr_amount"]) == "10.5000"


@pytest.mark.parametrize(
    ("day", "is_found"),
    [("2026-05-01", True), ("2026-04-24", True), ("2026-04-23", False), ("2026-05-02", False)],
)
def test_a_rate_counts_from_seven_days_before_up_to_the_first(day: str, is_found: bool) -> None:  # noqa: FBT001
    story = subscription_story(
        change("2026-05-10", currency="EUR"), exchange_rates=[rate(day, "1.1")]
    )
    if is_found:
        assert movements(marts_of(story, as_of=at("2026-06-01"))) == [
            ("2026-05-10", "new", "11.0000")
        ]
        return
    with pytest.raises(MissingRatesError, match="no rate for EUR on 2026-05-01") as error:
        marts_of(story, as_of=at("2026-06-01"))
    assert error.value.missing == [("EUR", date(2026, 5, 1))]


def test_a_rate_that_became_known_later_counts_all_the_same() -> None:
    late = rate("2026-05-01", "1.2") | {"recorded_at": at("2026-05-29")}
    story = subscription_story(
        change("2026-05-10", currency="EUR"),
        exchange_rates=[rate("2026-04-28", "1.1"), late],
    )
    assert movements(marts_of(story, as_of=at("2026-05-28"))) == [("2026-05-10", "new", "11.0000")]
    assert movements(marts_of(story, as_of=at("2026-06-01"))) == [("2026-05-10", "new", "12.0000")]


@pytest.mark.parametrize(
    ("currency", "worth"), [("JPY", "1000.0000"), ("KWD", "1.0000"), ("USD", "10.0000")]
)
def test_a_minor_unit_is_what_iso_4217_says(currency: str, worth: str) -> None:
    story = subscription_story(
        change("2026-05-10", currency=currency),
        exchange_rates=[rate("2026-05-01", "1", "JPY"), rate("2026-05-01", "1", "KWD")],
    )
    assert movements(marts_of(story, as_of=at("2026-06-01"))) == [("2026-05-10", "new", worth)]


def test_tax_is_in_no_revenue() -> None:
    story = billed(
        line("2026-05-01", "2026-06-01", 1000, tax_minor=200),
        invoices=[invoice(total_minor=1200, tax_minor=200)],
        payments=[paid(1200)],
    )
    marts = marts_of(story)
    assert amounts(marts, "revenue_monthly", "recognised_amount") == {"2026-05": "10.0000"}
    assert amounts(marts, "revenue_monthly", "collected_amount") == {"2026-05": "12.0000"}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_over_a_months_end_adds_up(sign: int) -> None:
    # 30 and 31 May and 1 June: 67 of 100 after two days, the rest on the third
    marts = marts_of(billed(line("2026-05-30", "2026-06-02", sign * 100)))
    minus = "-" if sign < 0 else ""
    assert amounts(marts, "revenue_monthly", "recognised_amount") == {
        "2026-05": f"{minus}0.6700",
        "2026-06": f"{minus}0.3300",
    }


def test_a_year_is_recognised_by_days() -> None:
    year = line("2025-01-01", "2026-01-01", 36500)
    marts = marts_of(billed(year, invoices=[invoice("2025-01-01")]))
    by_month = amounts(marts, "revenue_monthly", "recognised_amount")
    assert by_month["2025-01"] == "31.0000"
    assert by_month["2025-02"] == "28.0000"
    assert len(by_month) == 12


def test_a_day_that_has_not_begun_is_future() -> None:
    story = billed(line("2026-05-01", "2026-05-11", 1000))
    five_days = marts_of(story, as_of=at("2026-05-06"))
    assert amounts(five_days, "revenue_monthly", "recognised_amount") == {"2026-05": "5.0000"}
    one_more = marts_of(story, as_of=at("2026-05-06 00:00:01"))
    assert amounts(one_more, "revenue_monthly", "recognised_amount") == {"2026-05": "6.0000"}


@pytest.mark.parametrize(
    ("start", "end", "month"),
    [
        (None, None, "2026-05"),
        (None, "2026-09-01", "2026-05"),
        ("2026-07-04", None, "2026-07"),
        ("2026-07-04 08:00", "2026-07-04 20:00", "2026-07"),
    ],
)
def test_a_line_without_a_day_falls_on_its_start_or_on_the_day_of_issue(
    start: str | None, end: str | None, month: str
) -> None:
    marts = marts_of(billed(line(start, end, 1000)))
    assert amounts(marts, "revenue_monthly", "recognised_amount") == {month: "10.0000"}


def test_an_uncollectible_invoice_stands_apart_and_a_void_one_nowhere() -> None:
    invoices = [
        invoice(invoice_id="bad", status="uncollectible"),
        invoice(invoice_id="void", status="void"),
        invoice(invoice_id="draft", status="draft"),
        invoice(invoice_id="open", status="open"),
    ]
    lines = [
        line("2026-05-01", "2026-06-01", minor, invoice_id=name)
        for minor, name in ((1, "bad"), (2, "void"), (4, "draft"), (8, "open"))
    ]
    marts = marts_of(billed(*lines, invoices=invoices))
    assert amounts(marts, "revenue_monthly", "recognised_amount") == {"2026-05": "0.0800"}
    assert amounts(marts, "revenue_monthly", "uncollectible_amount") == {"2026-05": "0.0100"}


def test_a_proration_is_revenue_and_the_step_is_mrr() -> None:
    story = subscription_story(
        change("2026-05-01"),
        change("2026-05-11", amount_minor=2000),
        invoices=[invoice("2026-05-11")],
        invoice_lines=[line("2026-05-11", "2026-06-01", 600, kind="proration")],
    )
    marts = marts_of(story)
    assert amounts(marts, "revenue_monthly", "recognised_amount") == {"2026-05": "6.0000"}
    assert movements(marts)[-1] == ("2026-05-11", "expansion", "10.0000")


def test_a_refund_lowers_net_revenue_on_its_day_and_no_mrr() -> None:
    story = subscription_story(
        change("2026-05-01"),
        invoices=[invoice()],
        invoice_lines=[line("2026-05-01", "2026-06-01", 1000, tax_minor=200)],
        payments=[paid(1200)],
        refunds=[returned(1200, "2026-06-03", tax_minor=200)],
    )
    marts = marts_of(story)
    assert amounts(marts, "revenue_monthly", "net_revenue_amount") == {
        "2026-05": "10.0000",
        "2026-06": "-10.0000",
    }
    assert movements(marts) == [("2026-05-01", "new", "10.0000")]


def test_a_chargeback_and_its_reversal() -> None:
    story = billed(
        payments=[paid(1000)],
        refunds=[
            returned(1000, "2026-06-03", kind="chargeback"),
            returned(1000, "2026-07-03", kind="chargeback_reversal"),
        ],
    )
    assert amounts(marts_of(story), "revenue_monthly", "refunded_amount") == {
        "2026-06": "10.0000",
        "2026-07": "-10.0000",
    }


def test_a_refund_above_its_payment_is_quarantined() -> None:
    story = billed(
        payments=[paid(1000)],
        refunds=[returned(1001, "2026-06-03", refund_id="r1"), returned(1000, "2026-06-03")],
    )
    marts = marts_of(story)
    assert rules(marts) == [("refunds", "r1", 9)]
    assert ends(marts, "refunds") == {"accepted": 1, "quarantined": 1}


def test_averages_divide_net_revenue() -> None:
    # ana pays all of June, ben half of it and is on trial for the other half
    story = subscription_story(
        change("2026-05-01"),
        change("2026-06-01", subscription_id="s2", subscriber_id="ben", status="trialing"),
        change("2026-06-16", subscription_id="s2", subscriber_id="ben"),
        invoices=[invoice("2026-06-01")],
        invoice_lines=[line("2026-06-01", "2026-07-01", 3000)],
    )
    marts = marts_of(story)
    june = next(r for r in marts["revenue_monthly"] if str(r["month_start"]) == "2026-06-01")
    assert (june["average_paying_subscribers"], june["average_subscribers"]) == (1.5, 2.0)
    assert (str(june["arppu_amount"]), str(june["arpu_amount"])) == ("20.0000", "15.0000")
