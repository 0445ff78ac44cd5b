with

sessions as (

    select
        *,
        -- just before the end: a session that ends at midnight stays on its day
        greatest(started_at, ended_at - interval 1 microsecond) as last_instant_at
    from {{ ref('stg_viewing__playback_sessions') }}

),

dated_sessions as (

    select
        sessions.*,
        {{ local_date_of('sessions.started_at', 'dates_of_start') }} as started_date,
        {{ local_date_of('sessions.last_instant_at', 'dates_of_end') }} as last_date
    from sessions
    {{ join_utc_dates('sessions.started_at', 'dates_of_start') }}
    {{ join_utc_dates('sessions.last_instant_at', 'dates_of_end') }}

),

plays as (

    select
        session_id,
        subscriber_id,
        profile_id,
        title_id,
        device_type,
        started_at,
        ended_at,
        started_date,
        last_date,
        {{ month_start('started_date') }} as month_start,
        end_cause = 'startup_failure' as is_startup_failure,
        end_cause = 'error' as has_error,
        watched_seconds as reported_seconds,
        -- nothing was seen where nothing started, whatever the player says
        case when end_cause = 'startup_failure' then 0 else watched_seconds end as watched_seconds,
        case when end_cause <> 'startup_failure' and startup_ms >= 0 then startup_ms end
            as startup_ms,
        case when end_cause <> 'startup_failure' and rebuffer_ms >= 0 then rebuffer_ms end
            as rebuffer_ms,
        end_cause <> 'startup_failure'
        and cast(watched_seconds as double) * 1000000
        > {{ var('overlong_play_ratio') }} * {{ microseconds_between('started_at', 'ended_at') }}
            as is_overlong,
        is_exception
    from dated_sessions

)

select * from plays
