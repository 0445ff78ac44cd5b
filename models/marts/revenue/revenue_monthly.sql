with

months as (

    select * from {{ ref('int_calendar__months') }}

),

subscriber_months as (

    select * from {{ ref('int_revenue__subscriber_months') }}

),

access_months as (

    select * from {{ ref('int_subscriptions__access_months') }}

),

amounts as (

    select
        month_start,
        sum(recognised_amount) as recognised_amount,
        sum(refunded_amount) as refunded_amount,
        sum(uncollectible_amount) as uncollectible_amount,
        sum(collected_amount) as collected_amount
    from subscriber_months
    group by month_start

),

subscriber_time as (

    select
        month_start,
        sum(paying_microseconds) as paying_microseconds,
        sum(access_microseconds) as access_microseconds
    from access_months
    group by month_start

),

monthly_figures as (

    select
        months.month_start,
        coalesce(amounts.recognised_amount, 0) as recognised_amount,
        coalesce(amounts.refunded_amount, 0) as refunded_amount,
        coalesce(amounts.recognised_amount, 0) - coalesce(amounts.refunded_amount, 0)
            as net_revenue_amount,
        coalesce(amounts.uncollectible_amount, 0) as uncollectible_amount,
        coalesce(amounts.collected_amount, 0) as collected_amount,
        cast(coalesce(subscriber_time.paying_microseconds, 0) as double)
        / {{ microseconds_between('months.started_at', 'months.elapsed_until_at') }}
            as average_paying_subscribers,
        cast(coalesce(subscriber_time.access_microseconds, 0) as double)
        / {{ microseconds_between('months.started_at', 'months.elapsed_until_at') }}
            as average_subscribers,
        months.is_complete
    from months
    left join amounts
        on months.month_start = amounts.month_start
    left join subscriber_time
        on months.month_start = subscriber_time.month_start

),

revenue as (

    select
        month_start,
        cast(recognised_amount as decimal(18, 4)) as recognised_amount,
        cast(refunded_amount as decimal(18, 4)) as refunded_amount,
        cast(net_revenue_amount as decimal(18, 4)) as net_revenue_amount,
        cast(uncollectible_amount as decimal(18, 4)) as uncollectible_amount,
        cast(collected_amount as decimal(18, 4)) as collected_amount,
        average_paying_subscribers,
        average_subscribers,
        cast(
            round(cast(net_revenue_amount as double) / nullif(average_paying_subscribers, 0), 4)
            as decimal(18, 4)
        ) as arppu_amount,
        cast(
            round(cast(net_revenue_amount as double) / nullif(average_subscribers, 0), 4)
            as decimal(18, 4)
        ) as arpu_amount,
        is_complete
    from monthly_figures

)

select * from revenue
