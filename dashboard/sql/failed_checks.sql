select
    check_name,
    kind,
    table_name,
    severity,
    status,
    failures,
    left(message, 300) as message,
    left(what_to_do, 300) as what_to_do,
    count(*) over () as all_rows
from quality.check_results
where status <> 'passed'
qualify row_number() over (order by severity, table_name, check_name) <= 30
order by severity, table_name, check_name
