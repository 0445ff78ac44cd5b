{#-
    Knows who was erased: never in a file. DuckDB reads them once as they are judged, where a table of all plays of
    a feed that sends them twice would not fit into memory; Spark would read all raw files for each step.
-#}
{{ config(database='forgotten', materialized=of_engine(duckdb='view', spark='table')) }}

-- depends_on: {{ ref('base_viewing__repeated_session_keys') }}
-- depends_on: {{ ref('base_viewing__exception_portions') }}
-- depends_on: {{ ref('base_viewing__keys_in_question') }}
with

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

{% if is_increment() %}

-- every other row came alone, was accepted as it came, and nothing has come that could change that
rows_in_question as (

    select versions.*
    from {{ source('raw', 'playback_sessions') }} as versions
    inner join {{ ref('base_viewing__keys_in_question') }} as keys_in_question
        on versions.session_id = keys_in_question.session_id
    where {{ is_of_key_portion(key_hash('keys_in_question.session_id')) }}
    union all
    select *
    from {{ source('raw', 'playback_sessions') }}
    where
        session_id is null
        and {{ is_of_key_portion(key_hash('session_id')) }}

),

keys_of_several_rows as (

    select session_id
    from rows_in_question
    group by session_id
    having count(*) > 1

),

marked_rows as (

    select
        rows_in_question.*,
        keys_of_several_rows.session_id is not null as is_repeated
    from rows_in_question
    left join keys_of_several_rows
        on rows_in_question.session_id = keys_of_several_rows.session_id

),

{% else %}

marked_rows as (

    select
        versions.*,
        repeated_keys.session_key_hash is not null as is_repeated
    from {{ source('raw', 'playback_sessions') }} as versions
    left join {{ ref('base_viewing__repeated_session_keys') }} as repeated_keys
        on
            {{ key_hash('versions.session_id') }} = repeated_keys.session_key_hash
            and {{ is_of_key_portion('repeated_keys.session_key_hash') }}
    where {{ is_of_key_portion(key_hash('versions.session_id')) }}

),

{% endif %}

-- all but the rows that are accepted as they came: of hundreds of millions a few are left
exceptional_rows as (

    select versions.*
    from marked_rows as versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id
    where
        versions.is_repeated
        or {{ is_beyond_horizon('versions.recorded_at', 'versions.ended_at') }}
        or {{ is_long_playback('versions.started_at', 'versions.ended_at') }}
        or erasures.subscriber_id is not null
        or {{ rule_broken_by_playback() }} is not null

)

select * from exceptional_rows
