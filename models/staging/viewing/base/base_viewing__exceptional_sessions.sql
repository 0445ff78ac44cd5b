{%- set columns = playback_columns() -%}
{{ config(
    materialized=of_engine(duckdb='incremental', spark='table'),
    incremental_strategy='append',
    meta={'portions': 'base_viewing__exception_portions'},
    pre_hook="{{ forget_keys_in_question() }}",
) }}

with

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

exceptional_rows as (

    select * from {{ ref('base_viewing__exceptional_rows') }}

),

known_rows as (

    select *
    from exceptional_rows
    where
        {{ exists_at_horizon('recorded_at', 'ended_at') }}

),

-- who reads the plain sessions asks for no horizon: a row beyond it is no plain one
beyond_rows as (

    select distinct
        session_id,
        started_at,
        ended_at
    from exceptional_rows
    where
        session_id is not null
        and {{ is_beyond_horizon('recorded_at', 'ended_at') }}

),

{{ ranked_versions('known_rows', columns, ['session_id']) }},

judged as (

    select
        versions.*,
        {{ rule_broken_by_playback() }} as broken_rule,
        erasures.erased_subscriber_id,
        erasures.subscriber_id is not null as is_of_erased,
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
        is_of_erased,
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
        {%- if name in ['started_at', 'ended_at'] %}
        {{ name }},
        {%- else %}
        cast(null as {{ type }}) as {{ name }},
        {%- endif %}
        {%- endfor %}
        cast(null as timestamp) as recorded_at,
        cast(null as bigint) as copies,
        cast(null as bigint) as version_rank,
        cast(null as string) as broken_rule,
        false as is_of_erased,
        session_id as row_key,
        cast(null as string) as row_json
    from beyond_rows

)

select * from rows_with_verdict
