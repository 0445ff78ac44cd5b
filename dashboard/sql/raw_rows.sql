select
    table_name,
    raw_rows,
    accepted_rows,
    duplicate_rows,
    superseded_rows,
    quarantined_rows,
    beyond_as_of_rows
from quality.row_reconciliation
order by raw_rows desc, table_name
