{{ config(materialized='view') }}

with

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where is_paying

),

level_subscriptions as (

    select * from {{ ref('int_subscriptions__level_subscriptions') }}
    where currency <> '{{ var("reporting_currency") }}'

),

month_rates as (

    select * from {{ ref('int_currency__month_rates') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

rate_changes as (

    select
        month_rates.currency,
        month_rates.month_start,
        months.started_at as changed_at,
        month_rates.rate,
        rates_before.rate as rate_before
    from month_rates
    inner join month_rates as rates_before
        on
            month_rates.currency = rates_before.currency
            and month_rates.month_start = {{ next_month('rates_before.month_start') }}
    inner join months
        on month_rates.month_start = months.month_start

),

-- nearly all levels are of one subscription, which stands beside their value
held_subscriptions as (

    select
        subscriber_id,
        lifetime_number,
        started_at,
        start_month,
        end_month,
        plan_tier,
        paying_subscriptions,
        currency,
        own_currency_mrr
    from level_values
    where
        paying_subscriptions = 1
        and currency <> '{{ var("reporting_currency") }}'

    union all

    select
        level_values.subscriber_id,
        level_values.lifetime_number,
        level_values.started_at,
        level_values.start_month,
        level_values.end_month,
        level_values.plan_tier,
        level_values.paying_subscriptions,
        level_subscriptions.currency,
        level_subscriptions.own_currency_mrr
    from level_values
    inner join level_subscriptions
        on
            level_values.subscriber_id = level_subscriptions.subscriber_id
            and level_values.started_at = level_subscriptions.started_at
    where level_values.paying_subscriptions > 1

),

-- what is held just before a month's first instant changes by when the month's rate takes over
subscription_revaluations as (

    select
        held_subscriptions.subscriber_id,
        held_subscriptions.lifetime_number,
        held_subscriptions.paying_subscriptions,
        rate_changes.changed_at as moved_at,
        rate_changes.month_start,
        held_subscriptions.plan_tier,
        cast(
            {{ value_at('held_subscriptions.own_currency_mrr', 'rate_changes.rate') }}
            - {{ value_at('held_subscriptions.own_currency_mrr', 'rate_changes.rate_before') }}
            as decimal(18, 4)
        ) as mrr_change_amount
    from held_subscriptions
    inner join rate_changes
        on
            held_subscriptions.currency = rate_changes.currency
            and held_subscriptions.start_month < rate_changes.month_start
            and {{ open_end('held_subscriptions.end_month', 'date') }} >= rate_changes.month_start

),

revaluations as (

    select
        subscriber_id,
        lifetime_number,
        moved_at,
        month_start,
        plan_tier,
        mrr_change_amount
    from subscription_revaluations
    where paying_subscriptions = 1

    union all

    select
        subscriber_id,
        lifetime_number,
        moved_at,
        month_start,
        plan_tier,
        cast(sum(mrr_change_amount) as decimal(18, 4)) as mrr_change_amount
    from subscription_revaluations
    where paying_subscriptions > 1
    group by subscriber_id, lifetime_number, moved_at, month_start, plan_tier

)

select * from revaluations
