with

listed as (

    select
        table_name,
        count(*) as listed_rows
    from {{ ref('quarantined_rows') }}
    group by table_name

),

differences as (

    select
        row_reconciliation.table_name,
        row_reconciliation.quarantined_rows,
        listed.listed_rows
    from {{ ref('row_reconciliation') }} as row_reconciliation
    left join listed
        on row_reconciliation.table_name = listed.table_name
    where row_reconciliation.quarantined_rows <> coalesce(listed.listed_rows, 0)

)

select * from differences
