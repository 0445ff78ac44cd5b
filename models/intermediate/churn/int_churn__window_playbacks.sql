with

window_months as (

    select * from {{ ref('int_churn__window_months') }}

),

subscriber_days as (

    select
        subscriber_id,
        viewing_date,
        {{ month_start('viewing_date') }} as viewing_month,
        plays
    from {{ ref('int_viewing__subscriber_days') }}

),

plays as (

    select
        subscriber_id,
        {{ local_date('started_at') }} as play_date,
        month_start as viewing_month,
        is_startup_failure or has_error as has_failed,
        rebuffer_ms,
        watched_seconds
    from {{ ref('int_viewing__plays') }}

),

day_totals as (

    select
        window_months.subscriber_id,
        window_months.lifetime_number,
        window_months.month_start,
        count(*) as viewing_days,
        cast(sum(subscriber_days.plays) as bigint) as plays
    from window_months
    inner join subscriber_days
        on
            window_months.subscriber_id = subscriber_days.subscriber_id
            and window_months.viewing_month = subscriber_days.viewing_month
            and window_months.window_start_date <= subscriber_days.viewing_date
            and window_months.window_end_date > subscriber_days.viewing_date
    group by window_months.subscriber_id, window_months.lifetime_number, window_months.month_start

),

play_totals as (

    select
        window_months.subscriber_id,
        window_months.lifetime_number,
        window_months.month_start,
        count(*) filter (where plays.has_failed) as failed_plays,
        cast(coalesce(sum(plays.rebuffer_ms), 0) as bigint) as rebuffer_ms,
        cast(
            coalesce(
                sum(plays.rebuffer_ms + plays.watched_seconds * 1000) filter (
                    where plays.rebuffer_ms is not null
                ), 0
            ) as bigint
        ) as played_ms
    from window_months
    inner join plays
        on
            window_months.subscriber_id = plays.subscriber_id
            and window_months.viewing_month = plays.viewing_month
            and window_months.window_start_date <= plays.play_date
            and window_months.window_end_date > plays.play_date
    group by window_months.subscriber_id, window_months.lifetime_number, window_months.month_start

),

-- a session that goes on after midnight makes a day of viewing without a play of its own
window_playbacks as (

    select
        day_totals.subscriber_id,
        day_totals.lifetime_number,
        day_totals.month_start,
        day_totals.viewing_days,
        day_totals.plays,
        coalesce(play_totals.failed_plays, 0) as failed_plays,
        coalesce(play_totals.rebuffer_ms, 0) as rebuffer_ms,
        coalesce(play_totals.played_ms, 0) as played_ms
    from day_totals
    left join play_totals
        on
            day_totals.subscriber_id = play_totals.subscriber_id
            and day_totals.lifetime_number = play_totals.lifetime_number
            and day_totals.month_start = play_totals.month_start

)

select * from window_playbacks
