with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is null

),

totals as (

    select * from {{ ref('int_subscribers__totals') }}

),

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

current_levels as (

    select
        subscriber_id,
        is_paying
    from level_values
    where ended_at is null

),

-- who is paused comes back to the price that was paid before
last_paid_levels as (

    select
        subscriber_id,
        end_mrr_amount
    from level_values
    where is_paying and ended_at is not null
    qualify row_number() over (partition by subscriber_id order by started_at desc) = 1

),

current_prices as (

    select
        lifetimes.subscriber_id,
        lifetimes.tenure_days,
        -- what is paid may be worth nothing in the reporting currency, and is the price
        case
            when current_levels.is_paying then totals.mrr_amount
            else coalesce(last_paid_levels.end_mrr_amount, 0)
        end as monthly_price_amount
    from lifetimes
    inner join totals
        on lifetimes.subscriber_id = totals.subscriber_id
    left join current_levels
        on lifetimes.subscriber_id = current_levels.subscriber_id
    left join last_paid_levels
        on lifetimes.subscriber_id = last_paid_levels.subscriber_id

)

select * from current_prices
