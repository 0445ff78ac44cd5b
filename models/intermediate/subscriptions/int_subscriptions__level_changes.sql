{{ config(materialized='view') }}

with

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

level_subscriptions as (

    select * from {{ ref('int_subscriptions__level_subscriptions') }}

),

-- levels of a lifetime follow each other without a gap, so that one's end is the next one's start
steps as (

    select
        subscriber_id,
        lifetime_number,
        started_at,
        start_month,
        paying_subscriptions,
        plan_tier,
        start_mrr_amount,
        {%- for column in ['started_at', 'paying_subscriptions', 'plan_tier'] %}
        lag({{ column }}) over (
            partition by subscriber_id, lifetime_number order by started_at
        ) as previous_{{ column }},
        {%- endfor %}
        coalesce(
            lag(end_mrr_amount) over (
                partition by subscriber_id, lifetime_number order by started_at
            ), 0
        ) as previous_mrr_amount
    from level_values

),

-- most levels start with what the one before has ended with: a payment fails, or comes in the end
changing_steps as (

    select *
    from steps
    where
        previous_started_at is null
        or (paying_subscriptions > 0) <> (previous_paying_subscriptions > 0)
        or start_mrr_amount <> previous_mrr_amount
        or plan_tier <> previous_plan_tier

),

levels_of_steps as (

    select
        subscriber_id,
        started_at as moved_at,
        started_at
    from changing_steps
    where previous_started_at is not null
    union all
    select
        subscriber_id,
        started_at as moved_at,
        previous_started_at as started_at
    from changing_steps
    where previous_started_at is not null

),

-- a subscription that pays before and after is there twice, and is held against itself
subscriptions_with_billing_period_change as (

    select
        levels_of_steps.subscriber_id,
        levels_of_steps.moved_at,
        level_subscriptions.subscription_id
    from levels_of_steps
    inner join level_subscriptions
        on
            levels_of_steps.subscriber_id = level_subscriptions.subscriber_id
            and levels_of_steps.started_at = level_subscriptions.started_at
    group by
        levels_of_steps.subscriber_id,
        levels_of_steps.moved_at,
        level_subscriptions.subscription_id
    having
        min(level_subscriptions.billing_period_unit) <> max(level_subscriptions.billing_period_unit)
        or min(level_subscriptions.billing_period_count)
        <> max(level_subscriptions.billing_period_count)

),

billing_period_changes as (

    select
        subscriber_id,
        moved_at
    from subscriptions_with_billing_period_change
    group by subscriber_id, moved_at

),

level_changes as (

    select
        steps.subscriber_id,
        steps.lifetime_number,
        steps.started_at as moved_at,
        steps.start_month as month_start,
        case
            when steps.previous_started_at is null and steps.lifetime_number = 1 then 'new'
            when steps.previous_started_at is null then 'reactivation'
            when steps.previous_paying_subscriptions > 0 and steps.paying_subscriptions = 0
                then 'pause'
            when steps.previous_paying_subscriptions = 0 and steps.paying_subscriptions > 0
                then 'resume'
            when steps.start_mrr_amount > steps.previous_mrr_amount then 'expansion'
            when steps.start_mrr_amount < steps.previous_mrr_amount then 'contraction'
        end as category,
        steps.previous_plan_tier,
        steps.plan_tier,
        steps.previous_mrr_amount,
        cast(
            steps.start_mrr_amount - steps.previous_mrr_amount as decimal(18, 4)
        ) as mrr_change_amount,
        billing_period_changes.subscriber_id is not null as is_billing_period_change
    from changing_steps as steps
    left join billing_period_changes
        on
            steps.subscriber_id = billing_period_changes.subscriber_id
            and steps.started_at = billing_period_changes.moved_at

)

select * from level_changes
