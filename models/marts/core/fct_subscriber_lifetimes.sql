with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

lifetimes_with_end as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.started_at,
        lifetimes.ended_at,
        lifetime_ends.end_type,
        lifetime_ends.end_reason,
        lifetime_ends.cancel_feedback,
        lifetimes.tenure_days,
        lifetimes.first_plan_tier,
        lifetimes.last_plan_tier
    from lifetimes
    left join lifetime_ends
        on
            lifetimes.subscriber_id = lifetime_ends.subscriber_id
            and lifetimes.lifetime_number = lifetime_ends.lifetime_number

)

select * from lifetimes_with_end
