with

levels as (

    select * from {{ ref('int_subscriptions__levels') }}

),

states as (

    select * from {{ ref('int_subscriptions__states') }}
    where own_currency_mrr > 0

),

month_rates as (

    select * from {{ ref('int_currency__month_rates') }}

),

plans as (

    select * from {{ ref('stg_billing__plans') }}

),

-- what pays when a level starts; over a bridged gap it holds though it has ended
subscription_values as (

    select
        levels.*,
        coalesce({{ value_at('states.own_currency_mrr', 'start_rates.rate') }}, 0)
            as start_mrr_amount,
        case
            when levels.ended_at is not null
                then coalesce({{ value_at('states.own_currency_mrr', 'end_rates.rate') }}, 0)
        end as end_mrr_amount,
        states.subscription_id,
        states.currency,
        states.own_currency_mrr,
        states.plan_id,
        plans.plan_tier,
        states.billing_period_unit,
        states.billing_period_count
    from levels
    inner join states
        on
            levels.subscriber_id = states.subscriber_id
            and levels.started_at >= states.valid_from
            and levels.started_at < {{ open_end('states.valid_to') }}
    inner join plans
        on states.plan_id = plans.plan_id
    left join month_rates as start_rates
        on
            states.currency = start_rates.currency
            and levels.start_month = start_rates.month_start
    left join month_rates as end_rates
        on
            states.currency = end_rates.currency
            and levels.end_month = end_rates.month_start
    where levels.is_paying

),

-- the subscription that names the subscriber's plan, judged at the rates of the level's start
levels_of_several as (

    select
        subscriber_id,
        lifetime_number,
        started_at,
        ended_at,
        paying_subscriptions,
        is_paying,
        start_month,
        end_month,
        cast(
            sum(start_mrr_amount) over (partition by subscriber_id, started_at) as decimal(18, 4)
        ) as start_mrr_amount,
        cast(
            sum(end_mrr_amount) over (partition by subscriber_id, started_at) as decimal(18, 4)
        ) as end_mrr_amount,
        subscription_id,
        currency,
        own_currency_mrr,
        plan_id,
        plan_tier,
        billing_period_unit,
        billing_period_count
    from subscription_values
    where paying_subscriptions > 1
    qualify
        row_number() over (
            partition by subscriber_id, started_at
            order by subscription_values.start_mrr_amount desc, subscription_id asc
        ) = 1

),

paying_levels as (

    -- nearly all are of one subscription, and need neither a sum nor a rank
    select * from subscription_values
    where paying_subscriptions = 1
    union all
    select * from levels_of_several

),

-- a pause keeps the plan of the paying level before it
pauses as (

    select
        levels.*,
        cast(0 as decimal(18, 4)) as start_mrr_amount,
        case when levels.ended_at is not null then cast(0 as decimal(18, 4)) end as end_mrr_amount,
        cast(null as string) as subscription_id,
        cast(null as string) as currency,
        cast(null as decimal(18, 4)) as own_currency_mrr,
        paying_levels.plan_id,
        paying_levels.plan_tier,
        paying_levels.billing_period_unit,
        paying_levels.billing_period_count
    from levels
    left join paying_levels
        on
            levels.subscriber_id = paying_levels.subscriber_id
            and levels.started_at > paying_levels.started_at
    where not levels.is_paying
    qualify
        row_number() over (
            partition by levels.subscriber_id, levels.started_at
            order by paying_levels.started_at desc
        ) = 1

),

level_values as (

    select * from paying_levels
    union all
    select * from pauses

)

select * from level_values
