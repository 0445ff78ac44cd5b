with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

lifetime_summaries as (

    select
        subscriber_id,
        max(lifetime_number) as lifetime_number,
        min(started_at) as first_started_at
    from lifetimes
    group by subscriber_id

),

last_lifetimes as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetime_summaries.first_started_at,
        lifetimes.started_at,
        lifetimes.ended_at,
        lifetimes.tenure_days,
        lifetimes.last_plan_id
    from lifetimes
    inner join lifetime_summaries
        on
            lifetimes.subscriber_id = lifetime_summaries.subscriber_id
            and lifetimes.lifetime_number = lifetime_summaries.lifetime_number

)

select * from last_lifetimes
