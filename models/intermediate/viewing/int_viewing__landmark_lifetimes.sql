with

first_lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where lifetime_number = 1

),

landmark_lifetimes as (

    select
        subscriber_id,
        {{ local_date('started_at') }} as first_date,
        cast(
            {{ local_date('started_at') }} + interval {{ var('title_landmark_days') }} day as date
        ) as landmark_date,
        cast(
            least(tenure_days - {{ var('title_landmark_days') }}, {{ var('title_horizon_days') }})
            as integer
        ) as days_since_landmark,
        -- what happens after the horizon is not asked for
        ended_at is not null
        and tenure_days - {{ var('title_landmark_days') }} <= {{ var('title_horizon_days') }}
            as has_churned
    from first_lifetimes
    where tenure_days >= {{ var('title_landmark_days') }}

)

select * from landmark_lifetimes
