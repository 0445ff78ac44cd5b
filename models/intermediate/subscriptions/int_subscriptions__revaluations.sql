{{ config(materialized='view') }}

with

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
        month_rates.rate_trillionths,
        rates_before.rate as rate_before,
        rates_before.rate_trillionths as rate_before_trillionths
    from month_rates
    inner join month_rates as rates_before
        on
            month_rates.currency = rates_before.currency
            and month_rates.month_start = {{ next_month('rates_before.month_start') }}
    inner join months
        on month_rates.month_start = months.month_start

),

-- many pay the same price: what a rate changes it by is worked out once for them all
prices as (

    select
        currency,
        own_currency_mrr
    from level_subscriptions
    group by currency, own_currency_mrr

),

price_revaluations as (

    select
        prices.currency,
        prices.own_currency_mrr,
        rate_changes.changed_at,
        rate_changes.month_start,
        cast(
            {{ value_at('prices.own_currency_mrr', 'rate_changes.rate') }}
            - {{ value_at('prices.own_currency_mrr', 'rate_changes.rate_before') }}
            as decimal(18, 4)
        ) as mrr_change_amount
    from prices
    inner join rate_changes
        on prices.currency = rate_changes.currency

),

-- what is held just before a month's first instant changes by when the month's rate takes over
subscription_revaluations as (

    select
        level_subscriptions.subscriber_id,
        level_subscriptions.lifetime_number,
        level_subscriptions.paying_subscriptions,
        price_revaluations.changed_at as moved_at,
        price_revaluations.month_start,
        level_subscriptions.level_plan_tier as plan_tier,
        price_revaluations.mrr_change_amount
    from level_subscriptions
    inner join price_revaluations
        on
            level_subscriptions.currency = price_revaluations.currency
            and level_subscriptions.own_currency_mrr = price_revaluations.own_currency_mrr
            and level_subscriptions.start_month < price_revaluations.month_start
            and {{ open_end('level_subscriptions.end_month', 'date') }}
            >= price_revaluations.month_start

),

-- nearly all levels are of one subscription, and need no sum
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
