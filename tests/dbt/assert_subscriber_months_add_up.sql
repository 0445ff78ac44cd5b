-- the table that models are made of says the same as the bridges
with

monthly_sums as (

    select
        month_start,
        sum(opening_mrr_amount) as opening_mrr_amount,
        sum(closing_mrr_amount) as closing_mrr_amount,
        count(*) filter (where closing_status in ('paying', 'paused')) as closing_subscribers
    from {{ ref('fct_subscriber_months') }}
    group by month_start

),

mrr_sums as (

    select
        month_start,
        sum(opening_mrr_amount) as opening_mrr_amount,
        sum(closing_mrr_amount) as closing_mrr_amount
    from {{ ref('mrr_bridge_monthly') }}
    group by month_start

),

churn_sums as (

    select
        month_start,
        sum(closing_subscribers) as closing_subscribers
    from {{ ref('churn_monthly') }}
    group by month_start

)

select
    coalesce(monthly_sums.month_start, mrr_sums.month_start, churn_sums.month_start) as month_start,
    monthly_sums.closing_mrr_amount,
    mrr_sums.closing_mrr_amount as bridge_closing_mrr_amount,
    monthly_sums.closing_subscribers,
    churn_sums.closing_subscribers as bridge_closing_subscribers
from monthly_sums
full outer join mrr_sums
    on monthly_sums.month_start = mrr_sums.month_start
full outer join churn_sums
    on coalesce(monthly_sums.month_start, mrr_sums.month_start) = churn_sums.month_start
where
    coalesce(monthly_sums.opening_mrr_amount, 0) <> coalesce(mrr_sums.opening_mrr_amount, 0)
    or coalesce(monthly_sums.closing_mrr_amount, 0) <> coalesce(mrr_sums.closing_mrr_amount, 0)
    or coalesce(monthly_sums.closing_subscribers, 0) <> coalesce(churn_sums.closing_subscribers, 0)
