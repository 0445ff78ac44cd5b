select
    month_start,
    recognised_amount,
    refunded_amount,
    net_revenue_amount,
    collected_amount,
    uncollectible_amount,
    average_paying_subscribers,
    average_subscribers,
    arppu_amount,
    arpu_amount
from marts.revenue_monthly
where month_start >= getvariable('first_month')
order by month_start
