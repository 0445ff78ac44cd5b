-- one row per raw table: whether every row of it ended in exactly one place
with

profiled as (

    select
        table_name,
        sum(value) as profiled_rows
    from quality.feed_profile
    where metric = 'rows'
    group by table_name

)

select
    rows_of_table.table_name,
    cast(rows_of_table.raw_rows as double)
    - coalesce(rows_of_table.accepted_rows, 0)
    - coalesce(rows_of_table.duplicate_rows, 0)
    - coalesce(rows_of_table.superseded_rows, 0)
    - coalesce(rows_of_table.quarantined_rows, 0)
    - coalesce(rows_of_table.beyond_as_of_rows, 0) as lost_rows,
    cast(least(
        rows_of_table.raw_rows, rows_of_table.accepted_rows, rows_of_table.duplicate_rows,
        rows_of_table.superseded_rows, rows_of_table.quarantined_rows,
        rows_of_table.beyond_as_of_rows
    ) as double) as smallest_count,
    cast(rows_of_table.raw_rows - rows_of_table.beyond_as_of_rows as double)
    - coalesce(profiled.profiled_rows, 0) as unprofiled_rows,
    -- of a small table a single row would be more than the limit
    case
        when rows_of_table.raw_rows >= 1000
            then rows_of_table.quarantined_rows / cast(rows_of_table.raw_rows as double)
    end as quarantined_share
from quality.row_reconciliation as rows_of_table
left join profiled
    on rows_of_table.table_name = profiled.table_name
order by rows_of_table.table_name
