with

states as (

    select * from {{ ref('int_subscriptions__held_states') }}
    where valid_to is null

),

current_states as (

    select
        subscriber_id,
        max(case when status = 'active' and own_currency_mrr > 0 then 1 else 0 end) = 1
            as is_paid_on_time,
        {{ has_state('past_due') }} as is_past_due,
        {{ has_state('trialing') }} as is_trialing,
        max(case when status in ('trialing', 'active', 'past_due') then 1 else 0 end) = 1
            as has_access,
        min_by(plan_id, subscription_id) filter (
            where status in ('trialing', 'active', 'past_due')
        ) as plan_id
    from states
    group by subscriber_id

)

select * from current_states
