select
    account_id || '-' || start_date as invoice_id,
    cast(account_id as varchar) as subscriber_id,
    cast(null as varchar) as subscription_id,
    cast(start_date as timestamp) as issued_at,
    -- what a month cost is known, whether it was paid is not
    'open' as status,
    'USD' as currency,
    cast(cast(mrr as decimal(18, 2)) * 100 as bigint) as total_minor,
    cast(0 as bigint) as tax_minor,
    cast(start_date as timestamp) as recorded_at
from subscription
