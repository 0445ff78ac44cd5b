{#- a table is named where it is read: named above and read twice, it would be kept in between -#}
with

-- a version has its own times: of those of other months, a portion of months need not know
exceptional_keys as (

    select session_id
    from {{ ref('base_viewing__exceptional_sessions') }}
    where {{ is_read_of_portion('started_at', 'ended_at') }}

),

-- of a row that is left the rules have nothing to say: it is read where it lies, never copied
plain_sessions as (

    select
        sessions.session_id,
        sessions.subscriber_id,
        sessions.profile_id,
        sessions.title_id,
        {{ known_or_other('sessions.device_type', device_types()) }} as device_type,
        sessions.started_at,
        sessions.ended_at,
        sessions.watched_seconds,
        sessions.startup_ms,
        sessions.rebuffer_count,
        sessions.rebuffer_ms,
        sessions.bitrate_kbps,
        {{ known_or_other('sessions.end_cause', end_causes()) }} as end_cause,
        sessions.is_autoplay,
        sessions.recorded_at,
        false as is_exception
    from {{ source('raw', 'playback_sessions') }} as sessions
    left join exceptional_keys
        on sessions.session_id = exceptional_keys.session_id
    where
        sessions.session_id is not null
        and {{ is_read_of_portion('sessions.started_at', 'sessions.ended_at') }}
        and exceptional_keys.session_id is null

),

accepted_exceptions as (

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
        recorded_at,
        true as is_exception
    from {{ ref('base_viewing__exceptional_sessions') }}
    where version_rank = 1 and broken_rule is null

),

accepted as (

    select * from plain_sessions
    union all
    select * from accepted_exceptions

)

select * from accepted
