-- the rate beside the others is the one that churn_monthly adds up to
with

definitions as (

    select * from {{ ref('churn_rate_definitions') }}
    where definition = 'tenure'

),

bridge as (

    select
        month_start,
        sum(churned_from_opening) as churned_from_opening,
        sum(opening_subscribers) as opening_subscribers
    from {{ ref('churn_monthly') }}
    group by month_start

)

select
    definitions.month_start,
    definitions.numerator,
    bridge.churned_from_opening,
    definitions.denominator,
    bridge.opening_subscribers,
    definitions.rate
from definitions
left join bridge
    on definitions.month_start = bridge.month_start
where
    definitions.numerator <> coalesce(bridge.churned_from_opening, 0)
    or definitions.denominator <> coalesce(bridge.opening_subscribers, 0)
    or coalesce(definitions.rate, -1) <> coalesce(
        case
            when definitions.is_complete
                then
                    cast(bridge.churned_from_opening as double)
                    / nullif(bridge.opening_subscribers, 0)
        end,
        -1
    )
