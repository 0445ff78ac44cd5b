with

ranked as (

    select
        stratum,
        stratum_value,
        row_number() over (
            partition by stratum
            order by sum(monthly_active_subscribers) desc, stratum_value
        ) as size_rank
    from marts.engagement_monthly
    group by stratum, stratum_value

)

select
    monthly.month_start,
    monthly.stratum_value,
    monthly.elapsed_days,
    monthly.active_subscriber_days,
    monthly.monthly_active_subscribers,
    monthly.mean_daily_active_subscribers,
    monthly.stickiness_rate,
    monthly.paid_watched_seconds,
    monthly.average_paying_subscribers,
    monthly.watched_hours_per_paying_subscriber
from marts.engagement_monthly as monthly
inner join ranked
    on monthly.stratum = ranked.stratum and monthly.stratum_value = ranked.stratum_value
where monthly.month_start >= getvariable('first_month') and ranked.size_rank <= 12
order by monthly.month_start, monthly.stratum, ranked.size_rank
