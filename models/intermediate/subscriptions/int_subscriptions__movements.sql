with

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

level_changes as (

    select * from {{ ref('int_subscriptions__level_changes') }}

),

level_subscriptions as (

    select * from {{ ref('int_subscriptions__level_subscriptions') }}
    where currency <> '{{ var("reporting_currency") }}'

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

rate_changes as (

    select
        rates.currency,
        rates.month_start,
        rates.rate,
        rates_before.rate as rate_before
    from {{ ref('int_currency__valued_months') }} as rates
    inner join {{ ref('int_currency__valued_months') }} as rates_before
        on
            rates.currency = rates_before.currency
            and rates.month_start = {{ next_month('rates_before.month_start') }}

),

-- what is held just before a month's first instant changes by when the month's rate takes over
revaluations as (

    select
        level_subscriptions.subscriber_id,
        level_subscriptions.lifetime_number,
        level_subscriptions.started_at,
        rate_changes.month_start,
        sum(
            {{ value_at('level_subscriptions.own_currency_mrr', 'rate_changes.rate') }}
            - {{ value_at('level_subscriptions.own_currency_mrr', 'rate_changes.rate_before') }}
        ) as mrr_change_amount
    from level_subscriptions
    inner join rate_changes
        on
            level_subscriptions.currency = rate_changes.currency
            and level_subscriptions.start_month < rate_changes.month_start
            and (
                level_subscriptions.end_month >= rate_changes.month_start
                or level_subscriptions.end_month is null
            )
    group by
        level_subscriptions.subscriber_id,
        level_subscriptions.lifetime_number,
        level_subscriptions.started_at,
        rate_changes.month_start

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
        case when category in ('new', 'reactivation') then 1 else 0 end as lifetimes_change
    from level_changes
    where category is not null

    union all

    select
        revaluations.subscriber_id,
        revaluations.lifetime_number,
        months.started_at as moved_at,
        revaluations.month_start,
        'fx' as category,
        level_values.plan_tier,
        cast(revaluations.mrr_change_amount as decimal(18, 4)) as mrr_change_amount,
        false as is_billing_period_change,
        0 as lifetimes_change
    from revaluations
    inner join months
        on revaluations.month_start = months.month_start
    inner join level_values
        on
            revaluations.subscriber_id = level_values.subscriber_id
            and revaluations.started_at = level_values.started_at
    where revaluations.mrr_change_amount <> 0

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
        1 as lifetimes_change
    from level_changes
    where previous_plan_tier <> plan_tier

)

select * from movements
