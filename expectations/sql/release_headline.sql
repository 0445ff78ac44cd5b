-- one row, for the last complete month: the figures that people look at first, against their history
with

subscribers as (

    select
        month_start,
        sum(opening_subscribers) as opening_subscribers,
        cast(sum(churned_from_opening) as double) / nullif(sum(opening_subscribers), 0) as churn_rate
    from marts.churn_monthly
    where is_complete
    group by month_start

),

closings as (

    select
        month_start,
        cast(sum(closing_mrr_amount) as double) as closing_mrr_amount
    from marts.mrr_bridge_monthly
    where is_complete
    group by month_start

),

months as (

    select
        subscribers.month_start,
        subscribers.opening_subscribers,
        subscribers.churn_rate,
        closings.closing_mrr_amount,
        cast(revenue.net_revenue_amount as double) as net_revenue_amount
    from subscribers
    inner join closings
        on subscribers.month_start = closings.month_start
    inner join marts.revenue_monthly as revenue
        on subscribers.month_start = revenue.month_start

),

history as (

    select
        *,
        lag(closing_mrr_amount) over by_month as previous_closing_mrr_amount,
        lag(net_revenue_amount) over by_month as previous_net_revenue_amount,
        lag(opening_subscribers) over by_month as previous_opening_subscribers,
        median(churn_rate) over (
            order by month_start rows between 6 preceding and 1 preceding
        ) as usual_churn_rate,
        count(churn_rate) over (
            order by month_start rows between 6 preceding and 1 preceding
        ) as history_months
    from months
    window by_month as (order by month_start)

)

-- a service in its first months may double every month: from 200 subscribers on it may not
select
    strftime(month_start, '%Y-%m') as month,
    case
        when previous_opening_subscribers >= 200 and previous_closing_mrr_amount > 0
            then closing_mrr_amount / previous_closing_mrr_amount
    end as mrr_ratio,
    case
        when previous_opening_subscribers >= 200 and previous_net_revenue_amount > 0
            then net_revenue_amount / previous_net_revenue_amount
    end as net_revenue_ratio,
    case
        when previous_opening_subscribers >= 200 and history_months = 6
            then churn_rate - usual_churn_rate
    end as churn_rate_change
from history
qualify row_number() over (order by month_start desc) = 1
