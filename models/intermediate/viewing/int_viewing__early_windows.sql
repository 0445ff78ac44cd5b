with

first_lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where lifetime_number = 1

),

early_windows as (

    select
        subscriber_id,
        {{ local_date('started_at') }} as first_date,
        cast(
            {{ local_date('started_at') }} + interval {{ var('title_landmark_days') }} day as date
        ) as landmark_date
    from first_lifetimes

)

select * from early_windows
