with

movements_monthly as (

    select * from {{ ref('int_subscriptions__movements_monthly') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

-- those of the opening, in the tier held just before the month's first instant
losses_from_opening as (

    select
        lifetimes.end_month as month_start,
        level_values.plan_tier,
        subscribers.country_code,
        subscribers.acquisition_channel,
        count(*) as churned_lifetimes
    from lifetimes
    inner join level_values
        on
            lifetimes.subscriber_id = level_values.subscriber_id
            and lifetimes.lifetime_number = level_values.lifetime_number
            and lifetimes.end_month > level_values.start_month
            and lifetimes.end_month <= level_values.end_month
    inner join subscribers
        on lifetimes.subscriber_id = subscribers.subscriber_id
    group by
        lifetimes.end_month,
        level_values.plan_tier,
        subscribers.country_code,
        subscribers.acquisition_channel

),

churn as (

    select
        movements_monthly.month_start,
        movements_monthly.plan_tier,
        movements_monthly.country_code,
        movements_monthly.acquisition_channel,
        movements_monthly.closing_lifetimes - movements_monthly.lifetimes_change
            as opening_subscribers,
        movements_monthly.new_lifetimes as new_subscribers,
        movements_monthly.reactivated_lifetimes as reactivated_subscribers,
        movements_monthly.transferred_in_lifetimes as transferred_in,
        movements_monthly.transferred_out_lifetimes as transferred_out,
        movements_monthly.churned_lifetimes as churned_subscribers,
        cast(coalesce(losses_from_opening.churned_lifetimes, 0) as bigint) as churned_from_opening,
        movements_monthly.voluntary_churned_lifetimes as voluntary_churned_subscribers,
        movements_monthly.involuntary_churned_lifetimes as involuntary_churned_subscribers,
        movements_monthly.other_churned_lifetimes as other_churned_subscribers,
        movements_monthly.closing_lifetimes as closing_subscribers,
        movements_monthly.is_complete
    from movements_monthly
    left join losses_from_opening
        on
            movements_monthly.month_start = losses_from_opening.month_start
            and movements_monthly.plan_tier = losses_from_opening.plan_tier
            and movements_monthly.country_code = losses_from_opening.country_code
            and movements_monthly.acquisition_channel = losses_from_opening.acquisition_channel

)

select * from churn
