-- the old id of an erased subscriber is only that of somebody who came back after the request
with

requests as (

    select
        subscriber_id,
        min(requested_at) as requested_at
    from {{ source('raw', 'erasure_requests') }}
    where
        requested_at < {{ as_of() }}
        and recorded_at < {{ as_of() }}
        and requested_at <= recorded_at + interval 5 minute
    group by subscriber_id

)

select
    states.subscriber_id,
    states.valid_from
from {{ ref('fct_subscription_states') }} as states
inner join requests
    on states.subscriber_id = requests.subscriber_id
where states.valid_from < requests.requested_at
