with

titles as (

    select
        title_id,
        case when content_type <> 'live' then runtime_seconds end as runtime_seconds
    from {{ ref('stg_viewing__titles') }}

),

crossed_days as (

    select * from {{ ref('int_viewing__crossed_days') }}

),

-- a session of one day meets no crossed day, and has nothing to be shared
touched_days as (

    select
        plays.session_id,
        plays.subscriber_id,
        plays.title_id,
        plays.started_date,
        plays.reported_seconds,
        plays.is_startup_failure,
        plays.is_startup_failure or plays.has_error as has_failed,
        plays.rebuffer_ms,
        case when plays.rebuffer_ms is not null then plays.watched_seconds end as measured_seconds,
        coalesce(crossed_days.calendar_date, plays.started_date) as viewing_date,
        crossed_days.calendar_date is not null as is_shared,
        plays.started_at,
        plays.ended_at,
        crossed_days.started_at as day_started_at,
        crossed_days.ended_at as day_ended_at,
        plays.is_exception
    from {{ ref('int_viewing__plays') }} as plays
    left join crossed_days
        on
            plays.started_date = crossed_days.started_date
            and plays.last_date = crossed_days.last_date

),

-- shares are differences of one running total, so that they add up to the session
session_days as (

    select
        touched_days.session_id,
        touched_days.subscriber_id,
        touched_days.viewing_date,
        touched_days.title_id,
        touched_days.viewing_date = touched_days.started_date as is_first_day,
        touched_days.reported_seconds >= 30 as is_valid_play,
        -- a double knows these integers exactly, but for absurd ones, which ten times are too large
        cast(touched_days.reported_seconds as double) * 10
        >= cast(titles.runtime_seconds as double) * 9 as is_completed_play,
        case
            when not touched_days.is_shared then touched_days.reported_seconds
            -- in 64 bits, which all but absurd plays fit in, it takes a fifth of the time
            when
                touched_days.reported_seconds < 1000000
                and touched_days.ended_at < touched_days.started_at + interval 10 day
                then {{ seconds_of_day('touched_days', 'touched_days.reported_seconds') }}
            else {{ seconds_of_day(
                'touched_days', 'cast(touched_days.reported_seconds as decimal(38, 0))'
            ) }}
        end as watched_seconds,
        touched_days.is_startup_failure,
        touched_days.has_failed,
        touched_days.rebuffer_ms,
        touched_days.measured_seconds,
        touched_days.started_at,
        touched_days.ended_at,
        touched_days.is_exception
    from touched_days
    left join titles
        on touched_days.title_id = titles.title_id

),

-- nothing was seen where nothing started, whatever the player says
seen as (

    select
        *,
        case when is_startup_failure then 0 else watched_seconds end as seen_seconds
    from session_days

)

select * from seen
