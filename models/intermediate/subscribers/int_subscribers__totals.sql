with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

movements as (

    select * from {{ ref('int_subscriptions__movements') }}

),

revenue_months as (

    select * from {{ ref('int_revenue__subscriber_months') }}

),

viewing_months as (

    select * from {{ ref('int_viewing__subscriber_months') }}

),

mrr_levels as (

    select
        subscriber_id,
        sum(mrr_change_amount) as mrr_amount
    from movements
    group by subscriber_id

),

values_to_date as (

    select
        subscriber_id,
        sum(recognised_amount - refunded_amount) as net_revenue_amount,
        sum(collected_amount) as collected_amount
    from revenue_months
    group by subscriber_id

),

last_sessions as (

    select
        subscriber_id,
        max(last_ended_at) as last_seen_at
    from viewing_months
    group by subscriber_id

),

totals as (

    select
        subscribers.subscriber_id,
        cast(coalesce(mrr_levels.mrr_amount, 0) as decimal(18, 4)) as mrr_amount,
        cast(coalesce(values_to_date.net_revenue_amount, 0) as decimal(18, 4))
            as net_revenue_to_date_amount,
        cast(coalesce(values_to_date.collected_amount, 0) as decimal(18, 4))
            as collected_to_date_amount,
        last_sessions.last_seen_at
    from subscribers
    left join mrr_levels
        on subscribers.subscriber_id = mrr_levels.subscriber_id
    left join values_to_date
        on subscribers.subscriber_id = values_to_date.subscriber_id
    left join last_sessions
        on subscribers.subscriber_id = last_sessions.subscriber_id

)

select * from totals
