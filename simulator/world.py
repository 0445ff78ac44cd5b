"""What the service is like: its plans, prices, people, channels, tastes and planted parameters.

Only constants and what follows from them by arithmetic; drawing is done elsewhere. Shares add up
to 1, rates are per event, prices are in the currency's minor unit without tax.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """A plan on offer. `tilt` is what it adds to a subscriber's lean to early churn, uncentred."""

    plan_id: str
    name: str
    tier: str
    max_streams: int
    share: float
    tilt: float
    price_minor: tuple[int, int, int]
    """Monthly price in `CURRENCIES`' order."""
    is_ad_supported: bool = False


@dataclass(frozen=True)
class Channel:
    """A way that people come. `tilt` as for plans; the conversion is that of its trials."""

    name: str
    share: float
    tilt: float
    trial_conversion: float
    cost_per_sign_up_minor: tuple[int, int, int]
    """What a sign-up costs in `CURRENCIES`' order; 0 where nothing is spent."""


@dataclass(frozen=True)
class Country:
    """A country with its currency (index into `CURRENCIES`) and tax in basis points."""

    code: str
    share: float
    currency: int
    tax_basis_points: int


@dataclass(frozen=True)
class Method:
    """A means of payment: its share, how often a first attempt is declined, and its fee."""

    name: str
    share: float
    decline_rate: float
    fee_basis_points: int
    fee_fixed_minor: tuple[int, int, int]


@dataclass(frozen=True)
class Promotion:
    """A recurring discount on the first `months` of a lifetime."""

    code: str
    percent: int
    months: int


@dataclass(frozen=True)
class Lifetime:
    """The shifted-beta-geometric of lifetimes of one number: `alpha`, `beta` of monthly churn."""

    alpha: float
    beta: float


CURRENCIES = ("USD", "EUR", "JPY")
ANNUAL_PRICE_MONTHS = 10
GIFT_MONTHS = 3
ADD_ON_MINOR = (299, 249, 390)
ONE_OFF_MINOR = (399, 399, 500)

# the last one is only ever held beside another
PLANS = (
    Plan(
        "plan_basic",
        "Basic with ads",
        "basic",
        1,
        0.30,
        0.20,
        (599, 599, 690),
        is_ad_supported=True,
    ),
    Plan("plan_standard", "Standard", "standard", 2, 0.40, 0.00, (1099, 999, 1290)),
    Plan("plan_premium", "Premium", "premium", 4, 0.20, -0.15, (1599, 1499, 1890)),
    Plan("plan_family", "Family", "family", 6, 0.10, -0.25, (1999, 1899, 2290)),
    Plan("plan_kids", "Kids extra", "kids", 1, 0.00, 0.00, (399, 349, 490)),
)
KIDS_PLAN = 4
MAIN_PLANS = 4

CHANNELS = (
    Channel("organic", 0.26, -0.25, 0.62, (0, 0, 0)),
    Channel("paid_search", 0.22, 0.05, 0.55, (2800, 2500, 3600)),
    Channel("social", 0.18, 0.35, 0.42, (1900, 1700, 2600)),
    Channel("affiliate", 0.10, 0.30, 0.45, (2200, 2000, 3000)),
    Channel("partner", 0.12, -0.10, 0.60, (1500, 1400, 2000)),
    Channel("referral", 0.12, -0.35, 0.68, (900, 800, 1200)),
)
REFERRAL_CHANNEL = 5

COUNTRIES = (
    Country("US", 0.45, 0, 700),
    Country("DE", 0.16, 1, 1900),
    Country("FR", 0.12, 1, 2000),
    Country("ES", 0.09, 1, 2100),
    Country("JP", 0.18, 2, 1000),
)

METHODS = (
    Method("card", 0.62, 0.13, 290, (30, 25, 0)),
    Method("wallet", 0.14, 0.05, 250, (20, 20, 0)),
    Method("direct_debit", 0.10, 0.03, 80, (20, 20, 0)),
    Method("app_store", 0.10, 0.02, 1500, (0, 0, 0)),
    Method("carrier", 0.04, 0.08, 1000, (0, 0, 0)),
    Method("voucher", 0.00, 0.00, 0, (0, 0, 0)),
)
VOUCHER = 5
FAILURE_CODES = ("insufficient_funds", "card_expired", "do_not_honor", "processing_error")

PROMOTIONS = (
    Promotion("WELCOME50", 50, 3),
    Promotion("SPRING20", 20, 6),
    Promotion("ANNUAL15", 15, 12),
    Promotion("COMEBACK30", 30, 2),
)
WELCOME, SPRING, ANNUAL_OFFER, COMEBACK = range(4)

# survival after twelve months: 45 %, 36 % and 26 %
LIFETIMES = (Lifetime(1.244, 13.211), Lifetime(0.948, 6.213), Lifetime(0.804, 2.858))
MAX_LIFETIMES = 12

POOR_QUALITY_SHARE = 0.20
POOR_QUALITY_TILT = 0.35

TRIAL_DAYS = 14
COMPLIMENTARY_SHARE = 0.004
GIFT_SHARE = 0.008
TRIAL_SHARE = 0.55
NEVER_SUBSCRIBES_SHARE = 0.03
ANNUAL_SHARE = 0.08

RECOVERED_SHARE = 0.88
"""Of declined renewals and trial conversions, the share that a later attempt collects."""
RETRY_DAYS = (1, 4, 9, 16, 23)
RECOVERED_AT_RETRY = (0.5, 0.3, 0.2)
GRACE_DAYS = 28

RETURN_RATE = 0.38
RETURN_GAP_MEAN_DAYS = 110
RETURN_GAP_MIN_DAYS = 2

ADMIN_END_SHARE = 0.01
REFUNDED_END_SHARE = 0.02
PAUSE_SHARE = 0.06
UPGRADE_SHARE = 0.07
DOWNGRADE_SHARE = 0.05
SWITCH_SHARE = 0.012
SWITCH_GAP_MINUTES = 40
TO_ANNUAL_SHARE = 0.08
SECOND_SUBSCRIPTION_SHARE = 0.015
ADD_ON_SHARE = 0.05
ONE_OFF_RATE = 0.012
VOID_RATE = 0.003
DRAFT_RATE = 0.0005

REFUND_RATE = 0.012
CHARGEBACK_RATE = 0.0025
REVERSAL_SHARE = 0.35

# what is left of a voluntary leaver's plays in the last month, and in the one before
FADE_LAST_MONTH = 0.40
FADE_MONTH_BEFORE = 0.70

GENRES = ("drama", "comedy", "crime", "documentary", "kids", "sport", "science_fiction", "reality")
TASTES = {
    "family": (0.10, 0.18, 0.04, 0.06, 0.48, 0.05, 0.04, 0.05),
    "thrill": (0.18, 0.06, 0.42, 0.08, 0.01, 0.05, 0.16, 0.04),
    "fan": (0.06, 0.10, 0.08, 0.10, 0.02, 0.52, 0.06, 0.06),
    "easy": (0.18, 0.34, 0.08, 0.05, 0.03, 0.04, 0.04, 0.24),
    "curious": (0.20, 0.06, 0.08, 0.40, 0.02, 0.04, 0.18, 0.02),
}
TASTE_SHARES = (0.22, 0.24, 0.14, 0.25, 0.15)
TITLES = 480


def start_rate(channel: Channel) -> float:
    """Return the share of a channel's sign-ups that begin to pay, gifts apart."""
    direct = 1 - COMPLIMENTARY_SHARE - GIFT_SHARE - TRIAL_SHARE - NEVER_SUBSCRIBES_SHARE
    return direct + TRIAL_SHARE * channel.trial_conversion


def channel_tilts() -> tuple[float, ...]:
    """Return the channels' tilts, centred over those who begin to pay.

    Centring makes the tilts cancel out, so that all first lifetimes together follow the planted
    curve exactly.
    """
    weights = [channel.share * start_rate(channel) for channel in CHANNELS]
    mean = sum(w * c.tilt for w, c in zip(weights, CHANNELS, strict=True)) / sum(weights)
    return tuple(channel.tilt - mean for channel in CHANNELS)


def plan_tilts() -> tuple[float, ...]:
    """Return the tilts of the plans that a lifetime can begin with, centred over their shares."""
    plans = PLANS[:MAIN_PLANS]
    mean = sum(plan.share * plan.tilt for plan in plans)
    return tuple(plan.tilt - mean for plan in plans)


def quality_tilts() -> tuple[float, float]:
    """Return the tilts of good and of poor playback, centred over their shares."""
    mean = POOR_QUALITY_SHARE * POOR_QUALITY_TILT
    return (-mean, POOR_QUALITY_TILT - mean)
