with

audiences as (

    select * from {{ ref('audiences') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

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
        max(sent_at) as last_contacted_at
    from touches
    group by subscriber_id

)

select
    audiences.audience,
    audiences.subscriber_id,
    subscribers.is_marketing_opt_in,
    subscribers.is_erased,
    last_touches.last_contacted_at
from audiences
cross join thresholds
left join subscribers
    on audiences.subscriber_id = subscribers.subscriber_id
left join last_touches
    on audiences.subscriber_id = last_touches.subscriber_id
where
    not coalesce(subscribers.is_marketing_opt_in, false)
    or coalesce(subscribers.is_erased, true)
    or {{ days_between(local_date('last_touches.last_contacted_at'), local_date(as_of())) }}
    <= thresholds.contact_pause_days
