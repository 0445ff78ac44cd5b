with

first_lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where lifetime_number = 1

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

cohort_members as (

    select
        subscribers.subscriber_id,
        first_lifetimes.start_month as cohort_month,
        subscribers.acquisition_channel,
        {{ local_date('first_lifetimes.started_at') }} as start_date
    from first_lifetimes
    inner join subscribers
        on first_lifetimes.subscriber_id = subscribers.subscriber_id

)

select * from cohort_members
