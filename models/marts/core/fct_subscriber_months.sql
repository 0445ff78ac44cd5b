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

revenue_months as (

    select * from {{ ref('int_revenue__subscriber_months') }}

),

activity_months as (

    select * from {{ ref('int_subscribers__activity_months') }}

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
            and (level_values.end_month > months.month_start or level_values.end_month is null)

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

running_months as (

    select
        subscriber_months.subscriber_id,
        subscriber_months.first_month,
        subscriber_months.month_start,
        subscriber_months.is_complete,
        coalesce(closing_levels.status, 'churned') as closing_status,
        closing_levels.plan_tier,
        sum(coalesce(monthly_movements.mrr_change_amount, 0)) over (
            partition by subscriber_months.subscriber_id
            order by subscriber_months.month_start
            rows between unbounded preceding and current row
        ) as closing_mrr_amount,
        coalesce(monthly_movements.mrr_change_amount, 0) as mrr_change_amount,
        sum(coalesce(monthly_movements.lifetimes_started, 0)) over (
            partition by subscriber_months.subscriber_id
            order by subscriber_months.month_start
            rows between unbounded preceding and current row
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

),

filled_months as (

    select
        running_months.subscriber_id,
        running_months.month_start,
        cast(
            {{ months_between('running_months.first_month', 'running_months.month_start') }} as integer
        ) as months_since_start,
        cast(running_months.lifetime_number as integer) as lifetime_number,
        coalesce(
            lag(running_months.closing_status) over (
                partition by running_months.subscriber_id order by running_months.month_start
            ), 'never_paid'
        ) as opening_status,
        running_months.closing_status,
        running_months.plan_tier as closing_plan_tier,
        cast(
            running_months.closing_mrr_amount - running_months.mrr_change_amount as decimal(18, 4)
        ) as opening_mrr_amount,
        cast(running_months.closing_mrr_amount as decimal(18, 4)) as closing_mrr_amount,
        {%- for kind in ['recognised', 'refunded', 'uncollectible', 'collected'] %}
        cast(coalesce(revenue_months.{{ kind }}_amount, 0) as decimal(18, 4)) as {{ kind }}_amount,
        {%- endfor %}
        {%- for measure in [
            'viewing_days', 'plays', 'valid_plays', 'watched_seconds', 'failed_payments',
            'support_tickets',
        ] %}
        cast(coalesce(activity_months.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor %}
        running_months.is_complete
    from running_months
    left join revenue_months
        on
            running_months.subscriber_id = revenue_months.subscriber_id
            and running_months.month_start = revenue_months.month_start
    left join activity_months
        on
            running_months.subscriber_id = activity_months.subscriber_id
            and running_months.month_start = activity_months.month_start

)

select * from filled_months
