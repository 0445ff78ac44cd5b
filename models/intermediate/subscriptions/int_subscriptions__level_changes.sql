{{ config(materialized='view') }}

{%- set previous = [
    'started_at', 'is_paying', 'plan_tier', 'paying_subscriptions', 'subscription_id',
    'billing_period_unit', 'billing_period_count',
] -%}

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
        level_values.*,
        {%- for column in previous %}
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

-- where several pay, each is held against itself
steps_of_several as (

    select
        steps.subscriber_id,
        steps.started_at,
        max(
            case
                when
                    before.billing_period_unit <> after.billing_period_unit
                    or before.billing_period_count <> after.billing_period_count
                    then 1
                else 0
            end
        ) as billing_period_changes
    from steps
    inner join level_subscriptions as before
        on
            steps.subscriber_id = before.subscriber_id
            and steps.previous_started_at = before.started_at
    inner join level_subscriptions as after
        on
            steps.subscriber_id = after.subscriber_id
            and steps.started_at = after.started_at
            and before.subscription_id = after.subscription_id
    where
        steps.paying_subscriptions > 1
        or steps.previous_paying_subscriptions > 1
    group by steps.subscriber_id, steps.started_at

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
            when steps.previous_is_paying and not steps.is_paying then 'pause'
            when steps.is_paying and not steps.previous_is_paying then 'resume'
            when steps.start_mrr_amount > steps.previous_mrr_amount then 'expansion'
            when steps.start_mrr_amount < steps.previous_mrr_amount then 'contraction'
        end as category,
        steps.previous_plan_tier,
        steps.plan_tier,
        steps.previous_mrr_amount,
        cast(
            steps.start_mrr_amount - steps.previous_mrr_amount as decimal(18, 4)
        ) as mrr_change_amount,
        case
            when steps.paying_subscriptions = 1 and steps.previous_paying_subscriptions = 1
                then
                    steps.subscription_id = steps.previous_subscription_id
                    and (
                        steps.billing_period_unit <> steps.previous_billing_period_unit
                        or steps.billing_period_count <> steps.previous_billing_period_count
                    )
            else coalesce(steps_of_several.billing_period_changes = 1, false)
        end as is_billing_period_change
    from steps
    left join steps_of_several
        on
            steps.subscriber_id = steps_of_several.subscriber_id
            and steps.started_at = steps_of_several.started_at

)

select * from level_changes
