with

level_subscriptions as (

    select * from {{ ref('int_subscriptions__level_subscriptions') }}
    where currency <> '{{ var("reporting_currency") }}'

),

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

rate_changes as (

    select
        valued_months.currency,
        valued_months.month_start,
        months.started_at as changed_at,
        valued_months.rate,
        months_before.rate as rate_before
    from valued_months
    inner join valued_months as months_before
        on
            valued_months.currency = months_before.currency
            and valued_months.month_start = {{ next_month('months_before.month_start') }}
    inner join months
        on valued_months.month_start = months.month_start

),

-- what is held just before a month's first instant changes by when the month's rate takes over
revaluations as (

    select
        level_subscriptions.subscriber_id,
        level_subscriptions.lifetime_number,
        level_subscriptions.started_at as level_started_at,
        rate_changes.changed_at as moved_at,
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
            and {{ open_end('level_subscriptions.end_month', 'date') }} >= rate_changes.month_start
    group by
        level_subscriptions.subscriber_id,
        level_subscriptions.lifetime_number,
        level_subscriptions.started_at,
        rate_changes.changed_at,
        rate_changes.month_start

),

revaluations_with_plan as (

    select
        revaluations.subscriber_id,
        revaluations.lifetime_number,
        revaluations.moved_at,
        revaluations.month_start,
        level_values.plan_tier,
        cast(revaluations.mrr_change_amount as decimal(18, 4)) as mrr_change_amount
    from revaluations
    inner join level_values
        on
            revaluations.subscriber_id = level_values.subscriber_id
            and revaluations.level_started_at = level_values.started_at

)

select * from revaluations_with_plan
