with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

cancellations as (

    select * from {{ ref('int_churn__cancellations') }}

),

paying_spells as (

    select * from {{ ref('int_churn__paying_spells') }}

),

lifetimes_with_neighbours as (

    select
        lifetimes.*,
        lag(end_month) over (
            partition by subscriber_id order by lifetime_number
        ) as previous_end_month,
        lead(start_month) over (
            partition by subscriber_id order by lifetime_number
        ) as next_start_month,
        -- of all that end in the same month, the first says whether its opening has the subscriber
        min(start_month) over (
            partition by subscriber_id, end_month
        ) as first_start_month
    from lifetimes

),

lifetime_spells as (

    select
        'lifetime' as kind,
        subscriber_id,
        start_month,
        end_month,
        coalesce(previous_end_month < start_month, true) as is_joining,
        end_month is not null and coalesce(next_start_month > end_month, true) as is_lost,
        end_month is not null
        and coalesce(next_start_month > end_month, true)
        and first_start_month < end_month as is_lost_from_opening,
        lifetime_number > 1 as is_resubscription
    from lifetimes_with_neighbours

),

-- the interval after the instant: what begins at a month's first one belongs to the month before
boundary_spans as (

    select
        subscriber_id,
        started_at,
        {{ local_month('started_at - interval 1 microsecond') }} as start_month,
        {{ local_month('ended_at - interval 1 microsecond') }} as end_month
    from paying_spells
    where unit = 'subscriber'

),

-- who is back before the next first instant was there at both and has not churned between them
numbered_spans as (

    select
        boundary_spans.*,
        lag(end_month) over (
            partition by subscriber_id order by started_at
        ) as previous_end_month
    from boundary_spans
    where start_month < {{ open_end('end_month', 'date') }}

),

joined_spans as (

    select
        numbered_spans.*,
        sum(case when previous_end_month = start_month then 0 else 1 end) over (
            partition by subscriber_id
            order by started_at
            rows between unbounded preceding and current row
        ) as span_number
    from numbered_spans

),

boundary_spells as (

    select
        'first_instant' as kind,
        subscriber_id,
        min(start_month) as start_month,
        case when count(*) = count(end_month) then max(end_month) end as end_month,
        false as is_joining,
        false as is_lost,
        false as is_lost_from_opening,
        false as is_resubscription
    from joined_spans
    group by subscriber_id, span_number

),

spells as (

    select * from lifetime_spells
    union all
    select
        'cancellation' as kind,
        subscriber_id,
        start_month,
        cancel_month as end_month,
        false as is_joining,
        false as is_lost,
        false as is_lost_from_opening,
        is_resubscription
    from cancellations
    union all
    select
        unit as kind,
        subscriber_id,
        {{ local_month('started_at') }} as start_month,
        {{ local_month('ended_at') }} as end_month,
        false as is_joining,
        false as is_lost,
        false as is_lost_from_opening,
        is_resubscription
    from paying_spells
    union all
    select * from boundary_spells

)

select * from spells
