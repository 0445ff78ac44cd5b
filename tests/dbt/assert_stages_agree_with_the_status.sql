-- two ways to the same word: the status of today and the stage at the end of the last month
with

subscribers as (

    select * from {{ ref('dim_subscribers') }}

),

segments as (

    select * from {{ ref('subscriber_segments') }}

)

select
    subscribers.subscriber_id,
    subscribers.status,
    segments.lifecycle_stage,
    subscribers.net_revenue_to_date_amount,
    segments.value_amount
from subscribers
inner join segments
    on subscribers.subscriber_id = segments.subscriber_id
where
    subscribers.net_revenue_to_date_amount <> segments.value_amount
    or segments.lifecycle_stage <> case
        when subscribers.status in ('past_due', 'paused', 'churned', 'prospect')
            then subscribers.status
        when subscribers.status = 'trialing' then 'trial'
        when subscribers.status = 'complimentary' and subscribers.lifetime_number is null
            then 'prospect'
        when subscribers.status = 'complimentary' then 'churned'
        when segments.lifecycle_stage in (
            'past_due', 'paused', 'trial', 'churned', 'prospect'
        ) then 'paying'
        else segments.lifecycle_stage
    end
