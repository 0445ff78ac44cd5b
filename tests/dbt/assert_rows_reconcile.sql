-- every raw row ends in exactly one place
select *
from {{ ref('row_reconciliation') }}
where
    raw_rows
    <> accepted_rows + duplicate_rows + superseded_rows + quarantined_rows + beyond_as_of_rows
    or accepted_rows is null
