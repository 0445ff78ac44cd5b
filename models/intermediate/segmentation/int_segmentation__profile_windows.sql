with

sessions as (

    select * from {{ ref('stg_viewing__playback_sessions') }}
    where profile_id is not null

),

windows as (

    select
        month_start,
        cast(elapsed_until_date - interval 28 day as date) as window_start_date,
        elapsed_until_date
    from {{ ref('int_calendar__months') }}

),

window_dates as (

    select
        days.calendar_date,
        windows.month_start
    from {{ ref('int_calendar__days') }} as days
    inner join windows
        on
            days.calendar_date >= windows.window_start_date
            and days.calendar_date < windows.elapsed_until_date

),

-- a day is of one window, or of two: none is compared with each play
window_profiles as (

    select
        sessions.subscriber_id,
        sessions.profile_id,
        window_dates.month_start
    from sessions
    inner join window_dates
        on {{ local_date('sessions.started_at') }} = window_dates.calendar_date
    group by sessions.subscriber_id, sessions.profile_id, window_dates.month_start

),

profile_windows as (

    select
        subscriber_id,
        month_start,
        cast(count(*) as integer) as profiles_28d
    from window_profiles
    group by subscriber_id, month_start

)

select * from profile_windows
