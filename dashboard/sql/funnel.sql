select
    month_start,
    stage,
    stage_number,
    metric,
    numerator,
    denominator,
    stage_rate,
    target_rate,
    is_on_target
from marts.lifecycle_funnel
where month_start >= getvariable('first_month')
order by month_start, stage_number
