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

{%- set broken_rule -%}
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
end
{%- endset -%}

with

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

repeated_session_keys as (

    select * from {{ ref('base_viewing__repeated_session_keys') }}

),

-- all but the rows that are accepted as they came: of hundreds of millions a few are left
exceptional_rows as (

    select versions.*
    from {{ source('raw', 'playback_sessions') }} as versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id
    left join repeated_session_keys
        on {{ key_hash('versions.session_id') }} = repeated_session_keys.session_key_hash
    where
        repeated_session_keys.session_key_hash is not null
        or versions.recorded_at >= {{ as_of() }}
        or versions.ended_at >= {{ as_of() }}
        or erasures.subscriber_id is not null
        or {{ broken_rule }} is not null

),

-- who reads the plain sessions asks for no time: a row of the future is no plain one
beyond_keys as (

    select distinct session_id
    from exceptional_rows
    where
        session_id is not null
        and (recorded_at >= {{ as_of() }} or ended_at >= {{ as_of() }})

),

{{ row_versions('exceptional_rows', columns, ['session_id'], 'ended_at') }},

judged as (

    select
        versions.*,
        {{ broken_rule }} as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.ended_at') }} as current_subscriber_id
    from versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

judged_rows as (

    select
        session_id,
        current_subscriber_id as subscriber_id,
        profile_id,
        title_id,
        {{ known_or_other('device_type', device_types()) }} as device_type,
        started_at,
        ended_at,
        watched_seconds,
        startup_ms,
        rebuffer_count,
        rebuffer_ms,
        bitrate_kbps,
        {{ known_or_other('end_cause', end_causes()) }} as end_cause,
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

),

rows_with_verdict as (

    select * from judged_rows
    union all
    select
        session_id,
        {%- for name, type in columns.items() if name != 'session_id' %}
        cast(null as {{ type }}) as {{ name }},
        {%- endfor %}
        cast(null as timestamp) as recorded_at,
        cast(null as bigint) as copies,
        cast(null as bigint) as version_rank,
        cast(null as string) as broken_rule,
        session_id as row_key,
        cast(null as string) as row_json
    from beyond_keys

)

select * from rows_with_verdict
