-- counted month by month for the segments and as of today for the 360-degree view: the same people
with

running_totals as (

    select * from {{ ref('int_segmentation__running_totals') }}

),

subscribers as (

    select * from {{ ref('int_subscribers__loyalty') }}

),

last_totals as (

    select * from running_totals
    qualify row_number() over (partition by subscriber_id order by month_start desc) = 1

)

select
    subscribers.subscriber_id,
    subscribers.referred_payers,
    last_totals.referred_payers as referred_payers_by_month
from subscribers
full outer join last_totals
    on subscribers.subscriber_id = last_totals.subscriber_id
where
    subscribers.subscriber_id is null
    or coalesce(subscribers.referred_payers, 0) <> coalesce(last_totals.referred_payers, 0)
