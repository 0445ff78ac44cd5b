with

reasons as (

    select * from {{ ref('int_segmentation__audience_reasons') }}

),

offers as (

    select * from {{ ref('audience_offers') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

segments as (

    select * from {{ ref('subscriber_segments') }}

),

thresholds as (

    select * from {{ ref('int_segmentation__thresholds') }}

),

touches as (

    select * from {{ ref('stg_touchpoints__campaign_touches') }}

),

last_touches as (

    select
        subscriber_id,
        max(sent_at) as last_contacted_at,
        {{ days_between(local_date('max(sent_at)'), local_date(as_of())) }} as days_since_contact
    from touches
    group by subscriber_id

),

audiences as (

    select
        reasons.audience,
        reasons.subscriber_id,
        reasons.reason_code,
        reasons.reason,
        offers.offer_code,
        offers.offer,
        segments.lifecycle_stage,
        segments.value_tier,
        segments.value_amount,
        segments.top_genre,
        last_touches.last_contacted_at
    from reasons
    inner join offers
        on
            reasons.audience = offers.audience
            and reasons.reason_code = offers.reason_code
    inner join subscribers
        on reasons.subscriber_id = subscribers.subscriber_id
    inner join segments
        on reasons.subscriber_id = segments.subscriber_id
    cross join thresholds
    left join last_touches
        on reasons.subscriber_id = last_touches.subscriber_id
    where
        subscribers.is_marketing_opt_in
        and not subscribers.is_erased
        and (
            last_touches.days_since_contact is null
            or last_touches.days_since_contact > thresholds.contact_pause_days
        )

)

select * from audiences
