with

window_months as (

    select * from {{ ref('int_churn__window_months') }}

),

subscriber_days as (

    select
        *,
        {{ month_start('viewing_date') }} as viewing_month
    from {{ ref('int_viewing__subscriber_days') }}

),

-- a session that goes on after midnight makes a day of viewing without a play of its own
window_playbacks as (

    select
        window_months.subscriber_id,
        window_months.lifetime_number,
        window_months.month_start,
        count(*) as viewing_days,
        cast(sum(subscriber_days.plays) as bigint) as plays,
        cast(sum(subscriber_days.failed_plays) as bigint) as failed_plays,
        sum(subscriber_days.rebuffer_ms) as rebuffer_ms,
        sum(subscriber_days.rebuffer_ms + subscriber_days.measured_seconds * 1000) as played_ms
    from window_months
    inner join subscriber_days
        on
            window_months.subscriber_id = subscriber_days.subscriber_id
            and window_months.viewing_month = subscriber_days.viewing_month
            and window_months.window_start_date <= subscriber_days.viewing_date
            and window_months.window_end_date > subscriber_days.viewing_date
    group by window_months.subscriber_id, window_months.lifetime_number, window_months.month_start

)

select * from window_playbacks
