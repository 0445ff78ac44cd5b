{{ config(materialized='view') }}

with

periods as (

    select * from {{ ref('int_subscriptions__periods') }}

),

stretches as (

    select * from {{ ref('int_subscriptions__stretches') }}

),

-- over a bridged gap the level from before it holds until the return
levels as (

    select
        stretches.subscriber_id,
        stretches.lifetime_number,
        periods.started_at,
        case
            when stretches.is_bridged and periods.ended_at = stretches.stopped_at
                then stretches.returned_at
            else periods.ended_at
        end as ended_at,
        periods.paying_subscriptions,
        periods.is_paying
    from stretches
    inner join periods
        on
            stretches.subscriber_id = periods.subscriber_id
            and stretches.break_number = periods.break_number
            and stretches.started_at <= periods.started_at
    where periods.is_paying or periods.has_paused

),

levels_with_months as (

    select
        levels.*,
        {{ local_month('started_at') }} as start_month,
        {{ local_month('ended_at') }} as end_month
    from levels

)

select * from levels_with_months
