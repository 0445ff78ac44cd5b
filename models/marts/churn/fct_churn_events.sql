with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

viewing_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

last_days as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        {{ local_date('lifetimes.ended_at') }} as churned_date
    from lifetimes

),

last_viewing as (

    select
        last_days.subscriber_id,
        last_days.lifetime_number,
        sum(viewing_days.plays) as plays,
        sum(viewing_days.seen_seconds) as watched_seconds,
        count(*) as viewing_days
    from last_days
    inner join viewing_days
        on
            last_days.subscriber_id = viewing_days.subscriber_id
            and last_days.churned_date > viewing_days.viewing_date
            and cast(last_days.churned_date - interval 28 day as date) <= viewing_days.viewing_date
    group by last_days.subscriber_id, last_days.lifetime_number

),

churn_events as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.ended_at as churned_at,
        lifetimes.end_month as month_start,
        lifetime_ends.end_type as churn_type,
        lifetime_ends.end_reason as churn_reason,
        lifetime_ends.cancel_feedback,
        lifetimes.tenure_days,
        lifetimes.end_mrr_amount as mrr_amount,
        lifetimes.last_plan_tier as plan_tier,
        lifetimes.won_back_at,
        cast(coalesce(last_viewing.plays, 0) as bigint) as plays_in_last_28_days,
        cast(coalesce(last_viewing.watched_seconds, 0) as bigint)
            as watched_seconds_in_last_28_days,
        cast(coalesce(last_viewing.viewing_days, 0) as bigint) as viewing_days_in_last_28_days
    from lifetimes
    inner join lifetime_ends
        on
            lifetimes.subscriber_id = lifetime_ends.subscriber_id
            and lifetimes.lifetime_number = lifetime_ends.lifetime_number
    left join last_viewing
        on
            lifetimes.subscriber_id = last_viewing.subscriber_id
            and lifetimes.lifetime_number = last_viewing.lifetime_number

)

select * from churn_events
