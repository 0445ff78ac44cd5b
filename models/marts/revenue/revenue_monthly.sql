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
        {{ sum_of_microseconds('paying_microseconds') }} as paying_microseconds,
        {{ sum_of_microseconds('access_microseconds') }} as access_microseconds
    from access_months
    group by month_start

),

monthly_figures as (

    select
        months.month_start,
        cast(coalesce(amounts.recognised_amount, 0) as decimal(18, 4)) as recognised_amount,
        cast(coalesce(amounts.refunded_amount, 0) as decimal(18, 4)) as refunded_amount,
        cast(
            coalesce(amounts.recognised_amount, 0) - coalesce(amounts.refunded_amount, 0)
            as decimal(18, 4)
        ) as net_revenue_amount,
        cast(coalesce(amounts.uncollectible_amount, 0) as decimal(18, 4)) as uncollectible_amount,
        cast(coalesce(amounts.collected_amount, 0) as decimal(18, 4)) as collected_amount,
        coalesce(subscriber_time.paying_microseconds, 0) as paying_microseconds,
        coalesce(subscriber_time.access_microseconds, 0) as access_microseconds,
        {{ microseconds_between('months.started_at', 'months.elapsed_until_at') }}
            as elapsed_microseconds,
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
        recognised_amount,
        refunded_amount,
        net_revenue_amount,
        uncollectible_amount,
        collected_amount,
        cast(paying_microseconds as double) / elapsed_microseconds as average_paying_subscribers,
        cast(access_microseconds as double) / elapsed_microseconds as average_subscribers,
        {{ amount_per_average(
            'net_revenue_amount',
            'paying_microseconds',
            'elapsed_microseconds',
        ) }} as arppu_amount,
        {{ amount_per_average(
            'net_revenue_amount',
            'access_microseconds',
            'elapsed_microseconds',
        ) }} as arpu_amount,
        is_complete
    from monthly_figures

)

select * from revenue
