with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

current_states as (

    select * from {{ ref('int_subscriptions__held_states') }}
    where
        valid_to is null
        and (own_currency_mrr > 0 or status = 'paused')

),

-- a subscriber is leaving only when every subscription has been cancelled
standing_requests as (

    select
        subscriber_id,
        max(cancel_requested_at) as requested_at
    from current_states
    group by subscriber_id
    having
        count(*) = count(cancel_requested_at)
        and max(cancel_requested_at) < {{ as_of() }}

),

-- nobody cancels before paying, or after having left
cancelled_lifetimes as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.started_at,
        lifetimes.start_month,
        case
            when lifetimes.ended_at is not null
                then least(
                    greatest(
                        coalesce(lifetime_ends.cancel_requested_at, lifetimes.ended_at),
                        lifetimes.started_at
                    ),
                    lifetimes.ended_at
                )
            when standing_requests.requested_at is not null
                then greatest(standing_requests.requested_at, lifetimes.started_at)
        end as cancelled_at
    from lifetimes
    left join lifetime_ends
        on
            lifetimes.subscriber_id = lifetime_ends.subscriber_id
            and lifetimes.lifetime_number = lifetime_ends.lifetime_number
    left join standing_requests
        on lifetimes.subscriber_id = standing_requests.subscriber_id

),

lifetimes_with_history as (

    select
        cancelled_lifetimes.*,
        lag(cancelled_at) over (
            partition by subscriber_id order by lifetime_number
        ) as cancelled_before_at
    from cancelled_lifetimes

),

cancellations as (

    select
        subscriber_id,
        lifetime_number,
        started_at,
        start_month,
        cancelled_at,
        {{ local_month('cancelled_at') }} as cancel_month,
        coalesce(started_at <= cancelled_before_at + interval 12 month, false) as is_resubscription
    from lifetimes_with_history

)

select * from cancellations
