-- the paying time behind engagement by tier is the paying time behind ARPPU
with

tier_months as (

    select
        month_start,
        sum(paying_microseconds) as paying_microseconds
    from {{ ref('int_lifecycle__paying_tier_months') }}
    group by month_start

),

access_months as (

    select
        month_start,
        sum(paying_microseconds) as paying_microseconds
    from {{ ref('int_subscriptions__access_months') }}
    where paying_microseconds > 0
    group by month_start

)

select
    tier_months.month_start,
    tier_months.paying_microseconds as by_tier,
    access_months.paying_microseconds as by_subscriber
from tier_months
full join access_months
    on tier_months.month_start = access_months.month_start
where coalesce(tier_months.paying_microseconds, 0) <> coalesce(access_months.paying_microseconds, 0)
