with

segments as (

    select * from {{ ref('int_segmentation__segments') }}
    where is_latest

),

last_lifetimes as (

    select * from {{ ref('int_subscribers__last_lifetimes') }}

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

current_levels as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where ended_at is null

),

plans as (

    select * from {{ ref('stg_billing__plans') }}

),

widest_plans as (

    select max(max_streams) as max_streams
    from plans

),

facts as (

    select
        segments.subscriber_id,
        segments.lifecycle_stage,
        segments.engagement_tier,
        segments.tenure_days,
        segments.is_cancel_requested,
        segments.days_since_last_view,
        segments.viewing_days_28d,
        segments.earlier_viewing_days_28d,
        segments.profiles_28d,
        segments.nps_score,
        segments.referred_payers,
        cast({{ days_between(
            local_date('last_lifetimes.ended_at'), local_date(as_of())
        ) }} as integer) as days_since_end,
        lifetime_ends.end_type,
        lifetime_ends.cancel_feedback,
        plans.max_streams,
        coalesce(plans.is_ad_supported, false) as is_ad_supported,
        coalesce(plans.max_streams < widest_plans.max_streams, false) as has_wider_plan
    from segments
    left join last_lifetimes
        on segments.subscriber_id = last_lifetimes.subscriber_id
    left join lifetime_ends
        on
            last_lifetimes.subscriber_id = lifetime_ends.subscriber_id
            and last_lifetimes.lifetime_number = lifetime_ends.lifetime_number
    left join current_levels
        on segments.subscriber_id = current_levels.subscriber_id
    left join plans
        on current_levels.plan_id = plans.plan_id
    cross join widest_plans

)

select * from facts
