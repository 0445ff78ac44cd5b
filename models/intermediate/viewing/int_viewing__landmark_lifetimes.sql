with

first_lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where
        lifetime_number = 1
        and tenure_days >= {{ var('title_landmark_days') }}

),

early_windows as (

    select * from {{ ref('int_viewing__early_windows') }}

),

landmark_lifetimes as (

    select
        first_lifetimes.subscriber_id,
        early_windows.first_date,
        early_windows.landmark_date,
        cast(
            least(
                first_lifetimes.tenure_days - {{ var('title_landmark_days') }},
                {{ var('title_horizon_days') }}
            ) as integer
        ) as days_since_landmark,
        -- what happens after the horizon is not asked for
        first_lifetimes.ended_at is not null
        and first_lifetimes.tenure_days - {{ var('title_landmark_days') }}
        <= {{ var('title_horizon_days') }} as has_churned
    from first_lifetimes
    inner join early_windows
        on first_lifetimes.subscriber_id = early_windows.subscriber_id

)

select * from landmark_lifetimes
