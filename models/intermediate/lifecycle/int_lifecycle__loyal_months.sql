with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

thresholds as (

    select * from {{ ref('int_segmentation__thresholds') }}

),

closing_lifetimes as (

    select
        months.month_start,
        {{ days_between(
            local_date('lifetimes.started_at'), local_date('months.elapsed_until_at')
        ) }} as lifetime_days
    from lifetimes
    inner join months
        on
            lifetimes.start_month <= months.month_start
            and {{ open_end('lifetimes.end_month', 'date') }} > months.month_start

),

loyal_months as (

    select
        closing_lifetimes.month_start,
        count(*) as closing_subscribers,
        count(*) filter (where closing_lifetimes.lifetime_days >= thresholds.loyal_days)
            as loyal_subscribers
    from closing_lifetimes
    cross join thresholds
    group by closing_lifetimes.month_start

)

select * from loyal_months
