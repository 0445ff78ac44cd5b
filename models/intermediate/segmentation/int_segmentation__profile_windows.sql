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

profile_days as (

    select
        subscriber_id,
        profile_id,
        {{ local_date('started_at') }} as viewing_date
    from sessions
    group by subscriber_id, profile_id, {{ local_date('started_at') }}

),

profile_windows as (

    select
        profile_days.subscriber_id,
        windows.month_start,
        cast(count(distinct profile_days.profile_id) as integer) as profiles_28d
    from profile_days
    inner join windows
        on
            profile_days.viewing_date >= windows.window_start_date
            and profile_days.viewing_date < windows.elapsed_until_date
    group by profile_days.subscriber_id, windows.month_start

)

select * from profile_windows
