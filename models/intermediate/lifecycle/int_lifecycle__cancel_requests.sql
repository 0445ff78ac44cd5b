with

states as (

    select
        *,
        first_value(subscriber_id) over (
            partition by subscription_id, cancel_requested_at order by valid_from
        ) as requested_by_subscriber_id
    from {{ ref('int_subscriptions__states') }}
    where
        cancel_requested_at is not null
        and cancel_requested_at < {{ as_of() }}

),

-- every later state repeats the request, under whoever holds the subscription by then
cancel_requests as (

    select
        subscription_id,
        subscriber_id,
        cancel_requested_at,
        -- feedback may come later than the request, and engines differ where it is missing
        min_by(
            cancel_feedback, case when cancel_feedback is not null then valid_from end
        ) as cancel_feedback
    from states
    where subscriber_id = requested_by_subscriber_id
    group by subscription_id, subscriber_id, cancel_requested_at

)

select * from cancel_requests
