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
        lag(started_at) over (
            partition by subscriber_id, lifetime_number order by started_at
        ) as previous_started_at,
        coalesce(
            lag(end_mrr_amount) over (
                partition by subscriber_id, lifetime_number order by started_at
            ), 0
        ) as previous_mrr_amount,
        lag(is_paying) over (
            partition by subscriber_id, lifetime_number order by started_at
        ) as was_paying,
        lag(plan_tier) over (
            partition by subscriber_id, lifetime_number order by started_at
        ) as previous_plan_tier
    from level_values

),

subscriptions_before_and_after as (

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
            when steps.was_paying and not steps.is_paying then 'pause'
            when steps.is_paying and not steps.was_paying then 'resume'
            when steps.start_mrr_amount > steps.previous_mrr_amount then 'expansion'
            when steps.start_mrr_amount < steps.previous_mrr_amount then 'contraction'
        end as category,
        steps.previous_plan_tier,
        steps.plan_tier,
        steps.previous_mrr_amount,
        cast(
            steps.start_mrr_amount - steps.previous_mrr_amount as decimal(18, 4)
        ) as mrr_change_amount,
        coalesce(
            steps.was_paying and steps.is_paying
            and subscriptions_before_and_after.billing_period_changes = 1,
            false
        ) as is_billing_period_change
    from steps
    left join subscriptions_before_and_after
        on
            steps.subscriber_id = subscriptions_before_and_after.subscriber_id
            and steps.started_at = subscriptions_before_and_after.started_at

)

select * from level_changes
