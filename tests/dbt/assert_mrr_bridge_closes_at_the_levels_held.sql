-- the closing, a sum of movements, against the levels held just before each month's end
with

months as (

    select * from {{ ref('int_calendar__months') }}

),

held_levels as (

    select
        level_values.plan_tier,
        months.month_start,
        {{ value_at('level_subscriptions.own_currency_mrr', 'valued_months.rate') }} as mrr_amount
    from {{ ref('int_subscriptions__level_subscriptions') }} as level_subscriptions
    inner join {{ ref('int_subscriptions__level_values') }} as level_values
        on
            level_subscriptions.subscriber_id = level_values.subscriber_id
            and level_subscriptions.started_at = level_values.started_at
    inner join months
        on
            level_values.started_at < months.elapsed_until_at
            and (
                level_values.ended_at >= months.elapsed_until_at
                or level_values.ended_at is null
            )
    inner join {{ ref('int_currency__valued_months') }} as valued_months
        on
            level_subscriptions.currency = valued_months.currency
            and months.month_start = valued_months.month_start

),

held as (

    select
        month_start,
        plan_tier,
        sum(mrr_amount) as held_mrr_amount
    from held_levels
    group by month_start, plan_tier

),

closings as (

    select
        month_start,
        plan_tier,
        sum(closing_mrr_amount) as closing_mrr_amount
    from {{ ref('mrr_bridge_monthly') }}
    group by month_start, plan_tier

),

differences as (

    select
        coalesce(held.month_start, closings.month_start) as month_start,
        coalesce(held.plan_tier, closings.plan_tier) as plan_tier,
        held.held_mrr_amount,
        closings.closing_mrr_amount
    from held
    full outer join closings
        on
            held.month_start = closings.month_start
            and held.plan_tier = closings.plan_tier
    where coalesce(held.held_mrr_amount, 0) <> coalesce(closings.closing_mrr_amount, 0)

)

select * from differences
