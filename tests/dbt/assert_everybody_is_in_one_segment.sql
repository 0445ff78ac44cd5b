-- with the accepted values and the keys of the marts: exactly one segment of each segmentation
with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

segments as (

    select * from {{ ref('subscriber_segments') }}

),

history as (

    select
        subscriber_id,
        count(*) as history_months,
        max({{ months_between("date '1970-01-01'", 'month_start') }}) as last_month,
        min({{ months_between("date '1970-01-01'", 'month_start') }}) as first_month
    from {{ ref('segment_history') }}
    group by subscriber_id

)

select
    subscribers.subscriber_id,
    segments.lifecycle_stage,
    history.history_months
from subscribers
left join segments
    on subscribers.subscriber_id = segments.subscriber_id
left join history
    on subscribers.subscriber_id = history.subscriber_id
where
    segments.subscriber_id is null
    or history.subscriber_id is null
    or history.history_months <> history.last_month - history.first_month + 1
