with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

movements as (

    select * from {{ ref('int_subscriptions__movements') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

subscriber_months as (

    select
        lifetimes.subscriber_id,
        lifetimes.start_month as first_month,
        months.month_start,
        months.is_complete
    from lifetimes
    inner join months
        on lifetimes.start_month <= months.month_start
    where lifetimes.lifetime_number = 1

),

-- the level held just before the month's end; a level that ends in the month is not the last one
closing_levels as (

    select
        level_values.subscriber_id,
        months.month_start,
        case when level_values.is_paying then 'paying' else 'paused' end as status,
        level_values.plan_tier
    from level_values
    inner join months
        on
            level_values.start_month <= months.month_start
            and {{ open_end('level_values.end_month', 'date') }} > months.month_start

),

monthly_movements as (

    select
        subscriber_id,
        month_start,
        sum(mrr_change_amount) as mrr_change_amount,
        sum(case when category in ('new', 'reactivation') then 1 else 0 end) as lifetimes_started
    from movements
    group by subscriber_id, month_start

),

status_months as (

    select
        subscriber_months.subscriber_id,
        subscriber_months.first_month,
        subscriber_months.month_start,
        subscriber_months.is_complete,
        coalesce(closing_levels.status, 'churned') as closing_status,
        closing_levels.plan_tier,
        cast(
            sum(monthly_movements.mrr_change_amount) over (
                partition by subscriber_months.subscriber_id
                order by subscriber_months.month_start
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as closing_mrr_amount,
        cast(coalesce(monthly_movements.mrr_change_amount, 0) as decimal(18, 4))
            as mrr_change_amount,
        cast(
            sum(monthly_movements.lifetimes_started) over (
                partition by subscriber_months.subscriber_id
                order by subscriber_months.month_start
                rows between unbounded preceding and current row
            ) as integer
        ) as lifetime_number
    from subscriber_months
    left join closing_levels
        on
            subscriber_months.subscriber_id = closing_levels.subscriber_id
            and subscriber_months.month_start = closing_levels.month_start
    left join monthly_movements
        on
            subscriber_months.subscriber_id = monthly_movements.subscriber_id
            and subscriber_months.month_start = monthly_movements.month_start

)

select * from status_months
