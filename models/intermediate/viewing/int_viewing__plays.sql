with

sessions as (

    select * from {{ ref('stg_viewing__playback_sessions') }}

),

plays as (

    select
        session_id,
        subscriber_id,
        title_id,
        device_type,
        started_at,
        ended_at,
        {{ local_date('started_at') }} as started_date,
        -- just before the end: a session that ends at midnight stays on its day
        {{ local_date('greatest(started_at, ended_at - interval 1 microsecond)') }} as last_date,
        {{ local_month('started_at') }} as month_start,
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
    from sessions

)

select * from plays
