select
    restated_at,
    mart_name,
    figure,
    month_start,
    previous_value,
    current_value,
    count(*) over () as all_rows
from quality.kpi_restatements
qualify row_number() over (order by restated_at desc, month_start desc, mart_name, figure) <= 60
order by restated_at desc, month_start desc, mart_name, figure
