-- a feed that breaks so many rules is not one to bet on: nothing is released until it is looked at
select
    table_name,
    raw_rows,
    quarantined_rows,
    table_name || ': ' || cast(quarantined_rows as string) || ' of ' || cast(raw_rows as string)
    || ' rows are quarantined, more than the share of {{ var("max_quarantined_share") }} that'
    || ' max_quarantined_share allows; quality.quarantined_rows says which and why' as message
from {{ ref('row_reconciliation') }}
where quarantined_rows > raw_rows * {{ var('max_quarantined_share') }}
