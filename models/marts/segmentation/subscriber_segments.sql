with

segments as (

    select * from {{ ref('int_segmentation__segments') }}
    where is_latest

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

subscriber_segments as (

    select
        segments.subscriber_id,
        {%- for segmentation in segmentations() %}
        segments.{{ segmentation }},
        {%- endfor %}
        subscribers.age_band,
        segments.recency_score,
        segments.frequency_score,
        segments.monetary_score,
        segments.days_since_last_view,
        segments.viewing_days_28d,
        segments.earlier_viewing_days_28d,
        segments.value_amount,
        segments.failed_invoices_90d,
        segments.top_genre,
        segments.top_genre_share,
        segments.genre_concentration,
        segments.profiles_28d,
        segments.nps_score,
        segments.referred_payers,
        segments.is_cancel_requested
    from segments
    inner join subscribers
        on segments.subscriber_id = subscribers.subscriber_id

)

select * from subscriber_segments
