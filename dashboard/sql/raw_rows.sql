select
    table_name,
    raw_rows,
    accepted_rows,
    duplicate_rows,
    superseded_rows,
    quarantined_rows,
    beyond_as_of_rows
from quality.row_reconciliation
qualify row_number() over (order by raw_rows desc, table_name) <= 40
order by raw_rows desc, table_name
