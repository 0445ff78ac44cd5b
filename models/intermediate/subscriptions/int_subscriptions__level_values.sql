with

levels as (

    select * from {{ ref('int_subscriptions__levels') }}

),

level_subscriptions as (

    select * from {{ ref('int_subscriptions__level_subscriptions') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

plans as (

    select * from {{ ref('stg_billing__plans') }}

),

subscription_values as (

    select
        level_subscriptions.subscriber_id,
        level_subscriptions.started_at,
        level_subscriptions.subscription_id,
        plans.plan_id,
        plans.plan_tier,
        level_subscriptions.billing_period_unit,
        level_subscriptions.billing_period_count,
        {{ value_at('level_subscriptions.own_currency_mrr', 'start_rates.rate') }}
            as start_mrr_amount,
        {{ value_at('level_subscriptions.own_currency_mrr', 'end_rates.rate') }} as end_mrr_amount
    from level_subscriptions
    inner join plans
        on level_subscriptions.plan_id = plans.plan_id
    inner join valued_months as start_rates
        on
            level_subscriptions.currency = start_rates.currency
            and level_subscriptions.start_month = start_rates.month_start
    left join valued_months as end_rates
        on
            level_subscriptions.currency = end_rates.currency
            and level_subscriptions.end_month = end_rates.month_start

),

subscriber_values as (

    select
        subscriber_id,
        started_at,
        cast(sum(start_mrr_amount) as decimal(18, 4)) as start_mrr_amount,
        cast(sum(end_mrr_amount) as decimal(18, 4)) as end_mrr_amount
    from subscription_values
    group by subscriber_id, started_at

),

-- the subscription that names the subscriber's plan, judged at the rates of the level's start
leading_subscriptions as (

    select *
    from subscription_values
    qualify
        row_number() over (
            partition by subscriber_id, started_at
            order by start_mrr_amount desc, subscription_id asc
        ) = 1

),

valued_levels as (

    select
        levels.subscriber_id,
        levels.lifetime_number,
        levels.started_at,
        levels.ended_at,
        levels.start_month,
        levels.end_month,
        levels.is_paying,
        coalesce(subscriber_values.start_mrr_amount, 0) as start_mrr_amount,
        case
            when levels.ended_at is not null then coalesce(subscriber_values.end_mrr_amount, 0)
        end as end_mrr_amount,
        leading_subscriptions.subscription_id,
        leading_subscriptions.plan_id,
        leading_subscriptions.plan_tier,
        leading_subscriptions.billing_period_unit,
        leading_subscriptions.billing_period_count,
        -- a pause has the number of the paying level before it, whose plan it keeps
        sum(case when levels.is_paying then 1 else 0 end) over (
            partition by levels.subscriber_id
            order by levels.started_at
            rows between unbounded preceding and current row
        ) as paying_level_number
    from levels
    left join subscriber_values
        on
            levels.subscriber_id = subscriber_values.subscriber_id
            and levels.started_at = subscriber_values.started_at
    left join leading_subscriptions
        on
            levels.subscriber_id = leading_subscriptions.subscriber_id
            and levels.started_at = leading_subscriptions.started_at

),

level_values as (

    select
        subscriber_id,
        lifetime_number,
        started_at,
        ended_at,
        start_month,
        end_month,
        is_paying,
        start_mrr_amount,
        end_mrr_amount,
        max(plan_id) over (partition by subscriber_id, paying_level_number) as plan_id,
        max(plan_tier) over (partition by subscriber_id, paying_level_number) as plan_tier,
        max(billing_period_unit) over (
            partition by subscriber_id, paying_level_number
        ) as billing_period_unit,
        max(billing_period_count) over (
            partition by subscriber_id, paying_level_number
        ) as billing_period_count
    from valued_levels

)

select * from level_values
