{{ config(materialized='view') }}

with

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

states as (

    select * from {{ ref('int_subscriptions__states') }}
    where own_currency_mrr > 0

),

-- a level of one subscription has it beside its value
level_subscriptions as (

    select
        subscriber_id,
        lifetime_number,
        started_at,
        start_month,
        end_month,
        paying_subscriptions,
        plan_tier as level_plan_tier,
        subscription_id,
        plan_id,
        billing_period_unit,
        billing_period_count,
        currency,
        own_currency_mrr
    from level_values
    where paying_subscriptions = 1

    union all

    select
        level_values.subscriber_id,
        level_values.lifetime_number,
        level_values.started_at,
        level_values.start_month,
        level_values.end_month,
        level_values.paying_subscriptions,
        level_values.plan_tier as level_plan_tier,
        states.subscription_id,
        states.plan_id,
        states.billing_period_unit,
        states.billing_period_count,
        states.currency,
        states.own_currency_mrr
    from level_values
    inner join states
        on
            level_values.subscriber_id = states.subscriber_id
            and level_values.started_at >= states.valid_from
            and level_values.started_at < {{ open_end('states.valid_to') }}
    where level_values.paying_subscriptions > 1

)

select * from level_subscriptions
