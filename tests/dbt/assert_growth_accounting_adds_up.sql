-- opening = kept + churned, closing = new + resurrected + kept, and both are those of churn_monthly
with

growth as (

    select * from {{ ref('growth_accounting_monthly') }}

),

churn_months as (

    select
        month_start,
        sum(opening_subscribers) as opening_subscribers,
        sum(closing_subscribers) as closing_subscribers
    from {{ ref('churn_monthly') }}
    group by month_start

)

select growth.*
from growth
left join churn_months
    on growth.month_start = churn_months.month_start
where
    growth.opening_subscribers <> growth.kept_subscribers + growth.churned_subscribers
    or growth.closing_subscribers
    <> growth.new_subscribers + growth.resurrected_subscribers + growth.kept_subscribers
    or growth.kept_subscribers <> growth.retained_subscribers + growth.dormant_subscribers
    or growth.reawakened_subscribers > growth.retained_subscribers
    or growth.opening_subscribers <> coalesce(churn_months.opening_subscribers, 0)
    or growth.closing_subscribers <> coalesce(churn_months.closing_subscribers, 0)
