with

lifetimes as (

    select
        fct_subscriber_lifetimes.*,
        lag(ended_at) over (
            partition by subscriber_id order by lifetime_number
        ) as previous_ended_at
    from {{ ref('fct_subscriber_lifetimes') }} as fct_subscriber_lifetimes

)

-- what lies between two lifetimes is longer than the grace, or it would have been bridged
select *
from lifetimes
where
    ended_at <= started_at
    or (
        lifetime_number > 1
        and not coalesce(
            started_at > previous_ended_at + interval {{ var('churn_grace_hours') }} hour, false
        )
    )
