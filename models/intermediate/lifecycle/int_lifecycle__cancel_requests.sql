with

states as (

    select * from {{ ref('int_subscriptions__states') }}
    where cancel_requested_at is not null

),

-- every later state repeats the request: the first one that knows of it tells whose it was
cancel_requests as (

    select
        subscription_id,
        min_by(subscriber_id, valid_from) as subscriber_id,
        cancel_requested_at,
        -- feedback may come later than the request, and engines differ where it is missing
        min_by(
            cancel_feedback, case when cancel_feedback is not null then valid_from end
        ) as cancel_feedback
    from states
    where cancel_requested_at < {{ as_of() }}
    group by subscription_id, cancel_requested_at

)

select * from cancel_requests
