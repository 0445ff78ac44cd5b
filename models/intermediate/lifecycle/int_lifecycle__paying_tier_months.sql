with

paying_levels as (

    select
        subscriber_id,
        plan_tier,
        started_at,
        coalesce(ended_at, {{ as_of() }}) as ended_at
    from {{ ref('int_subscriptions__level_values') }}
    where is_paying

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

paying_tier_months as (

    select
        months.month_start,
        paying_levels.plan_tier,
        cast(
            {{ sum_of_microseconds(microseconds_between(
                'greatest(paying_levels.started_at, months.started_at)',
                'least(paying_levels.ended_at, months.elapsed_until_at)',
            )) }}
            as decimal(38, 0)
        ) as paying_microseconds
    from paying_levels
    inner join months
        on
            paying_levels.started_at < months.elapsed_until_at
            and paying_levels.ended_at > months.started_at
    group by months.month_start, paying_levels.plan_tier

)

select * from paying_tier_months
