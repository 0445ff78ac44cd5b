with

paying_levels as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where is_paying

),

dated_levels as (

    select
        subscriber_id,
        plan_tier,
        started_at,
        {{ local_date('started_at') }} as first_date,
        -- the last instant lies just before the end: an end at midnight leaves the day before
        {{ next_day(local_date('ended_at - interval 1 microsecond')) }} as end_date
    from paying_levels

),

-- a day on which the tier changes is of the later one
levels_in_turn as (

    select
        subscriber_id,
        plan_tier,
        first_date,
        least(
            end_date,
            lead(first_date) over (
                partition by subscriber_id
                order by started_at
            )
        ) as end_date
    from dated_levels

),

paid_dates as (

    select * from levels_in_turn
    where first_date < {{ open_end('end_date', 'date') }}

)

select * from paid_dates
