{%- set columns = playback_columns() -%}

with

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

sessions_in_question as (

    select * from {{ ref('base_viewing__sessions_in_question') }}

),

keys_of_several_rows as (

    select session_id
    from sessions_in_question
    group by session_id
    having count(*) > 1

),

exceptional_rows as (

    select versions.*
    from sessions_in_question as versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id
    left join keys_of_several_rows
        on versions.session_id = keys_of_several_rows.session_id
    where
        keys_of_several_rows.session_id is not null
        or versions.recorded_at >= {{ as_of() }}
        or versions.ended_at >= {{ as_of() }}
        or {{ is_long_playback('versions.started_at', 'versions.ended_at') }}
        or erasures.subscriber_id is not null
        or {{ rule_broken_by_playback() }} is not null

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
        {{ rule_broken_by_playback() }} as broken_rule,
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
