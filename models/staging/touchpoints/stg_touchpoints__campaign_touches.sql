with

accepted as (

    select
        touch_id,
        subscriber_id,
        campaign_id,
        channel,
        purpose,
        sent_at,
        opened_at,
        clicked_at,
        offer_code,
        recorded_at
    from {{ ref('base_touchpoints__campaign_touches') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
