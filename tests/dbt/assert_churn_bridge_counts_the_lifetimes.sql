-- opening and closing, sums of movements, against the lifetimes that lie over the month's ends
with

counted as (

    select
        months.month_start,
        count(*) filter (
            where
            lifetimes.started_at < months.started_at
            and (lifetimes.ended_at >= months.started_at or lifetimes.ended_at is null)
        ) as opening_lifetimes,
        count(*) filter (
            where
            lifetimes.started_at < months.started_at
            and lifetimes.ended_at >= months.started_at
            and lifetimes.ended_at < months.ended_at
        ) as lost_lifetimes,
        count(*) filter (
            where
            lifetimes.started_at < months.elapsed_until_at
            and (lifetimes.ended_at >= months.elapsed_until_at or lifetimes.ended_at is null)
        ) as closing_lifetimes
    from {{ ref('int_calendar__months') }} as months
    left join {{ ref('fct_subscriber_lifetimes') }} as lifetimes
        on months.ended_at > lifetimes.started_at
    group by months.month_start

),

bridged as (

    select
        month_start,
        sum(opening_subscribers) as opening_subscribers,
        sum(churned_from_opening) as churned_from_opening,
        sum(closing_subscribers) as closing_subscribers
    from {{ ref('churn_monthly') }}
    group by month_start

),

differences as (

    select
        counted.*,
        bridged.opening_subscribers,
        bridged.churned_from_opening,
        bridged.closing_subscribers
    from counted
    left join bridged
        on counted.month_start = bridged.month_start
    where
        counted.opening_lifetimes <> coalesce(bridged.opening_subscribers, 0)
        or counted.lost_lifetimes <> coalesce(bridged.churned_from_opening, 0)
        or counted.closing_lifetimes <> coalesce(bridged.closing_subscribers, 0)

)

select * from differences
