with

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

bounds as (

    select
        subscriber_id,
        lifetime_number,
        min(started_at) as started_at,
        case when count(*) = count(ended_at) then max(ended_at) end as ended_at
    from level_values
    group by subscriber_id, lifetime_number

),

bounds_with_return as (

    select
        bounds.*,
        lead(started_at) over (
            partition by subscriber_id order by lifetime_number
        ) as won_back_at
    from bounds

),

lifetimes as (

    select
        bounds.subscriber_id,
        bounds.lifetime_number,
        bounds.started_at,
        bounds.ended_at,
        first_levels.start_month,
        last_levels.end_month,
        last_levels.started_at as last_level_started_at,
        last_levels.is_paying as was_paying,
        last_levels.end_mrr_amount,
        cast({{ days_between(
            local_date('bounds.started_at'),
            local_date('coalesce(bounds.ended_at, ' ~ as_of() ~ ')'),
        ) }} as integer) as tenure_days,
        first_levels.plan_tier as first_plan_tier,
        first_levels.billing_period_unit as first_billing_period_unit,
        first_levels.billing_period_count as first_billing_period_count,
        last_levels.plan_id as last_plan_id,
        last_levels.plan_tier as last_plan_tier,
        bounds.won_back_at
    from bounds_with_return as bounds
    inner join level_values as first_levels
        on
            bounds.subscriber_id = first_levels.subscriber_id
            and bounds.started_at = first_levels.started_at
    inner join level_values as last_levels
        on
            bounds.subscriber_id = last_levels.subscriber_id
            and bounds.lifetime_number = last_levels.lifetime_number
            and {{ open_end('bounds.ended_at') }} = {{ open_end('last_levels.ended_at') }}

)

select * from lifetimes
