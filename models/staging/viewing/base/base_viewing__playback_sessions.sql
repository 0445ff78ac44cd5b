{%- set columns = {
    'session_id': 'string',
    'subscriber_id': 'string',
    'profile_id': 'string',
    'title_id': 'string',
    'device_type': 'string',
    'started_at': 'timestamp',
    'ended_at': 'timestamp',
    'watched_seconds': 'bigint',
    'startup_ms': 'bigint',
    'rebuffer_count': 'bigint',
    'rebuffer_ms': 'bigint',
    'bitrate_kbps': 'bigint',
    'end_cause': 'string',
    'is_autoplay': 'boolean',
} -%}

with

{{ row_versions(source('raw', 'playback_sessions'), columns, ['session_id'], 'ended_at') }},

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['session_id'],
                nullable=['profile_id', 'title_id', 'startup_ms', 'rebuffer_count', 'rebuffer_ms', 'bitrate_kbps'],
                event_at='versions.ended_at',
            ) }}
            when subscribers.subscriber_id is null then 'missing_reference'
            when versions.ended_at < versions.started_at then 'ends_before_start'
            when versions.watched_seconds < 0 then 'negative_watched_seconds'
        end as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.ended_at') }} as current_subscriber_id
    from versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

rows_with_verdict as (

    select
        session_id,
        current_subscriber_id as subscriber_id,
        profile_id,
        title_id,
        {{ known_or_other('device_type', [
            'tv', 'mobile', 'tablet', 'web', 'console',
        ]) }} as device_type,
        started_at,
        ended_at,
        watched_seconds,
        startup_ms,
        rebuffer_count,
        rebuffer_ms,
        bitrate_kbps,
        {{ known_or_other('end_cause', [
            'completed', 'stopped', 'error', 'startup_failure',
        ]) }} as end_cause,
        is_autoplay,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        session_id as row_key,
        case
            when broken_rule is not null and coalesce(current_subscriber_id = subscriber_id, true)
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
