with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

churns as (

    select
        lifetimes.end_month as churned_month,
        lifetime_ends.end_type as churn_type,
        {{ local_month('lifetimes.won_back_at') }} as won_back_month
    from lifetimes
    inner join lifetime_ends
        on
            lifetimes.subscriber_id = lifetime_ends.subscriber_id
            and lifetimes.lifetime_number = lifetime_ends.lifetime_number

),

leavers as (

    select
        churned_month,
        churn_type,
        count(*) as churned_subscribers
    from churns
    group by churned_month, churn_type

),

returns as (

    select
        churned_month,
        churn_type,
        won_back_month,
        count(*) as returned_subscribers
    from churns
    where won_back_month is not null
    group by churned_month, churn_type, won_back_month

),

running_totals as (

    select
        leavers.churned_month,
        leavers.churn_type,
        leavers.churned_subscribers,
        months.month_start,
        months.is_complete,
        sum(coalesce(returns.returned_subscribers, 0)) over (
            partition by leavers.churned_month, leavers.churn_type
            order by months.month_start
            rows between unbounded preceding and current row
        ) as won_back_subscribers
    from leavers
    inner join months
        on leavers.churned_month <= months.month_start
    left join returns
        on
            leavers.churned_month = returns.churned_month
            and leavers.churn_type = returns.churn_type
            and months.month_start = returns.won_back_month

),

-- a month that is not over may bring more of them back: null, never a number that looks final
win_backs as (

    select
        churned_month as month_start,
        churn_type,
        cast({{ months_between('churned_month', 'month_start') }} as integer) as months_since_churn,
        churned_subscribers,
        cast(case when is_complete then won_back_subscribers end as bigint) as won_back_subscribers,
        case
            when is_complete
                then cast(won_back_subscribers as double) / nullif(churned_subscribers, 0)
        end as win_back_rate
    from running_totals

)

select * from win_backs
