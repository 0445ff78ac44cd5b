{{ config(materialized='view') }}

with

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

bridged_gaps as (

    select
        subscriber_id,
        stopped_at,
        returned_at
    from {{ ref('int_subscriptions__stretches') }}
    where is_bridged

),

-- a request may stand on no row before the one that stops
states_over_gaps as (

    select
        states.subscription_id,
        states.subscriber_id,
        states.status,
        states.plan_id,
        states.own_currency_mrr,
        coalesce(stopping_states.cancel_requested_at, states.cancel_requested_at)
            as cancel_requested_at,
        bridged_gaps.stopped_at as valid_from,
        bridged_gaps.returned_at as valid_to
    from bridged_gaps
    inner join states
        on
            bridged_gaps.subscriber_id = states.subscriber_id
            and bridged_gaps.stopped_at = states.valid_to
    left join states as stopping_states
        on
            states.subscription_id = stopping_states.subscription_id
            and states.subscriber_id = stopping_states.subscriber_id
            and states.valid_to = stopping_states.valid_from
    where
        states.own_currency_mrr > 0
        or states.status = 'paused'

),

held_states as (

    select
        subscription_id,
        subscriber_id,
        status,
        plan_id,
        own_currency_mrr,
        cancel_requested_at,
        valid_from,
        valid_to
    from states
    union all
    select * from states_over_gaps

)

select * from held_states
