select
    account_id || '-' || start_date || '-1' as invoice_line_id,
    account_id || '-' || start_date as invoice_id,
    'subscription' as kind,
    product as plan_id,
    cast(start_date as timestamp) as period_start_at,
    cast(end_date as timestamp) as period_end_at,
    cast(cast(mrr as decimal(18, 2)) * 100 as bigint) as amount_minor,
    cast(0 as bigint) as tax_minor,
    cast(0 as bigint) as discount_minor,
    cast(null as varchar) as promotion_code,
    cast(start_date as timestamp) as recorded_at
from subscription
