-- one row per month of marts.revenue_monthly
select
    strftime(month_start, '%Y-%m') as month,
    cast(net_revenue_amount - (recognised_amount - refunded_amount) as double)
        as net_difference_amount,
    cast(collected_amount as double) as collected_amount,
    average_paying_subscribers,
    -- two sums of the same time: what differs in the last digits is arithmetic
    average_subscribers * (1 + 1e-9) - average_paying_subscribers as average_not_paying_subscribers
from marts.revenue_monthly
order by month_start
