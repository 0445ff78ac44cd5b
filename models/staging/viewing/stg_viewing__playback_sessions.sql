with

accepted as (

    select
        session_id,
        subscriber_id,
        profile_id,
        title_id,
        device_type,
        started_at,
        ended_at,
        watched_seconds,
        startup_ms,
        rebuffer_count,
        rebuffer_ms,
        bitrate_kbps,
        end_cause,
        is_autoplay,
        recorded_at
    from {{ ref('base_viewing__playback_sessions') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
