with

windows as (

    select * from {{ ref('int_churn__windows') }}

),

subscriber_months as (

    select * from {{ ref('int_viewing__subscriber_months') }}
    where month_end_viewing_days > 0

),

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

-- of whoever stays the window is the end of the month
stayer_playbacks as (

    select
        windows.subscriber_id,
        windows.lifetime_number,
        windows.month_start,
        subscriber_months.month_end_viewing_days as viewing_days,
        subscriber_months.month_end_plays as plays,
        subscriber_months.month_end_failed_plays as failed_plays,
        subscriber_months.month_end_rebuffer_ms as rebuffer_ms,
        subscriber_months.month_end_played_ms as played_ms
    from windows
    inner join subscriber_months
        on
            windows.subscriber_id = subscriber_months.subscriber_id
            and windows.month_start = subscriber_months.month_start
    where not windows.has_churned

),

-- a session that goes on after midnight makes a day of viewing without a play of its own
leaver_playbacks as (

    select
        windows.subscriber_id,
        windows.lifetime_number,
        windows.month_start,
        count(*) as viewing_days,
        cast(sum(subscriber_days.plays) as bigint) as plays,
        cast(sum(subscriber_days.failed_plays) as bigint) as failed_plays,
        sum(subscriber_days.rebuffer_ms) as rebuffer_ms,
        sum(subscriber_days.rebuffer_ms + subscriber_days.measured_seconds * 1000) as played_ms
    from windows
    inner join subscriber_days
        on
            windows.subscriber_id = subscriber_days.subscriber_id
            and windows.window_start_date <= subscriber_days.viewing_date
            and windows.window_end_date > subscriber_days.viewing_date
    where windows.has_churned
    group by windows.subscriber_id, windows.lifetime_number, windows.month_start

),

window_playbacks as (

    select * from stayer_playbacks
    union all
    select * from leaver_playbacks

)

select * from window_playbacks
