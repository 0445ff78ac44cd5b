select
    month_start,
    definition,
    numerator,
    denominator,
    rate
from marts.churn_rate_definitions
where month_start >= getvariable('first_month')
order by month_start, definition
