-- a feed that breaks so many rules is not one to bet on: nothing is released until it is looked at;
-- save requests for the erasure of somebody who was erased from the raw files as well
with

orphaned_requests as (

    select
        table_name,
        count(*) as orphans
    from {{ ref('quarantined_rows') }}
    where
        table_name = 'erasure_requests'
        and rule = 'missing_reference'
    group by table_name

)

select
    reconciled.table_name,
    reconciled.raw_rows,
    reconciled.quarantined_rows,
    reconciled.table_name || ': ' || cast(reconciled.quarantined_rows as string) || ' of '
    || cast(reconciled.raw_rows as string)
    || ' rows are quarantined, more than the share of {{ var("max_quarantined_share") }} that'
    || ' max_quarantined_share allows; quality.quarantined_rows of the build says which and why'
        as message
from {{ ref('row_reconciliation') }} as reconciled
left join orphaned_requests
    on reconciled.table_name = orphaned_requests.table_name
where
    reconciled.quarantined_rows - coalesce(orphaned_requests.orphans, 0)
    > reconciled.raw_rows * {{ var('max_quarantined_share') }}
