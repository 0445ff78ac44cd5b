-- the old id of an erased subscriber is only that of somebody who came back after the request
with

known_requests as (

    select
        subscriber_id,
        requested_at,
        recorded_at,
        max(recorded_at) over (partition by subscriber_id) as newest_recorded_at
    from {{ source('raw', 'erasure_requests') }}
    where
        recorded_at < {{ as_of() }}
        and coalesce(requested_at < {{ as_of() }}, true)

),

-- the newest version counts, and erases nobody where it breaks a rule; of two that were recorded at
-- once either may
requests as (

    select
        subscriber_id,
        min(requested_at) as requested_at
    from known_requests
    where recorded_at = newest_recorded_at
    group by subscriber_id
    having
        count(*) = count(requested_at)
        and max(requested_at) <= max(recorded_at) + interval 5 minute

)

select
    states.subscriber_id,
    states.valid_from
from {{ ref('fct_subscription_states') }} as states
inner join requests
    on states.subscriber_id = requests.subscriber_id
where states.valid_from < requests.requested_at
