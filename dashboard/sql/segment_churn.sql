select
    month_start,
    segmentation,
    segment,
    subscribers,
    churned_next_month,
    churn_rate,
    ci_lower,
    ci_upper
from marts.segment_churn_monthly
where month_start = (select max(latest.month_start) from marts.segment_churn_monthly as latest)
qualify row_number() over (
    partition by month_start, segmentation
    order by subscribers desc, segment
) <= 30
order by month_start, segmentation, segment
