with

levels as (

    select * from {{ ref('int_subscriptions__levels') }}

),

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

paying_subscriptions as (

    select
        levels.subscriber_id,
        levels.lifetime_number,
        levels.started_at,
        levels.start_month,
        levels.end_month,
        states.subscription_id,
        states.plan_id,
        states.billing_period_unit,
        states.billing_period_count,
        states.currency,
        states.own_currency_mrr
    from levels
    inner join states
        on
            levels.subscriber_id = states.subscriber_id
            and levels.started_at >= states.valid_from
            and levels.started_at < {{ open_end('states.valid_to') }}
    where
        levels.is_paying
        and states.own_currency_mrr > 0

)

select * from paying_subscriptions
