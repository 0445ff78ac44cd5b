select
    currency,
    raw_minor,
    recognised_minor,
    future_minor,
    duplicate_minor,
    superseded_minor,
    quarantined_minor,
    uncollectible_minor,
    unearned_minor
from quality.money_reconciliation
qualify row_number() over (order by abs(raw_minor) desc, currency) <= 40
order by abs(raw_minor) desc, currency
