select
    table_name,
    rule,
    count(*) as quarantined_rows,
    count(*) over () as all_rows
from quality.quarantined_rows
group by table_name, rule
qualify row_number() over (order by count(*) desc, table_name, rule) <= 60
order by quarantined_rows desc, table_name, rule
