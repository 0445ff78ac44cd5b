with

level_changes as (

    select * from {{ ref('int_subscriptions__level_changes') }}

),

revaluations as (

    select * from {{ ref('int_subscriptions__revaluations') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

movements as (

    select
        subscriber_id,
        lifetime_number,
        moved_at,
        month_start,
        category,
        plan_tier,
        mrr_change_amount,
        is_billing_period_change,
        false as is_out_of_pause,
        case when category in ('new', 'reactivation') then 1 else 0 end as lifetimes_change
    from level_changes
    where category is not null

    union all

    select
        subscriber_id,
        lifetime_number,
        moved_at,
        month_start,
        'fx' as category,
        plan_tier,
        mrr_change_amount,
        false as is_billing_period_change,
        false as is_out_of_pause,
        0 as lifetimes_change
    from revaluations
    where mrr_change_amount <> 0

    union all

    -- an end out of a pause loses a subscriber, though no money
    select
        subscriber_id,
        lifetime_number,
        ended_at as moved_at,
        end_month as month_start,
        'churn' as category,
        last_plan_tier as plan_tier,
        cast(-end_mrr_amount as decimal(18, 4)) as mrr_change_amount,
        false as is_billing_period_change,
        not was_paying as is_out_of_pause,
        -1 as lifetimes_change
    from lifetimes

    union all

    select
        subscriber_id,
        lifetime_number,
        moved_at,
        month_start,
        'transfer_out' as category,
        previous_plan_tier as plan_tier,
        cast(-previous_mrr_amount as decimal(18, 4)) as mrr_change_amount,
        false as is_billing_period_change,
        false as is_out_of_pause,
        -1 as lifetimes_change
    from level_changes
    where previous_plan_tier <> plan_tier

    union all

    select
        subscriber_id,
        lifetime_number,
        moved_at,
        month_start,
        'transfer_in' as category,
        plan_tier,
        previous_mrr_amount as mrr_change_amount,
        false as is_billing_period_change,
        false as is_out_of_pause,
        1 as lifetimes_change
    from level_changes
    where previous_plan_tier <> plan_tier

)

select * from movements
