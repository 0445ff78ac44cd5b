-- one row per currency: whether every minor unit of the raw lines is accounted for
select
    currency,
    cast(raw_minor - recognised_minor - future_minor - excluded_minor as double) as lost_minor
from quality.money_reconciliation
order by currency
