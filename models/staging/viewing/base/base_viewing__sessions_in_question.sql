{#- rows of who is erased are among them: never in a file -#}
{{ config(database='forgotten') }}

-- depends_on: {{ ref('base_viewing__repeated_session_keys') }}
with

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

{% if is_increment() %}

keys_in_question as (

    select session_id from {{ source('basis', 'exceptional_sessions') }}
    union distinct
    select session_id from {{ source('arrivals', 'playback_sessions') }}

),

-- of who is accepted only now all sessions are exceptions already
subscribers_in_question as (

    select subscriber_id from erasures
    union distinct
    select known_subscribers.subscriber_id
    from {{ source('basis', 'subscribers') }} as known_subscribers
    left join subscribers
        on known_subscribers.subscriber_id = subscribers.subscriber_id
    where subscribers.subscriber_id is null

),

-- every other row came alone, was accepted as it came, and nothing has come that could change that
sessions_in_question as (

    select versions.*
    from {{ source('raw', 'playback_sessions') }} as versions
    left join keys_in_question
        on versions.session_id = keys_in_question.session_id
    left join subscribers_in_question
        on versions.subscriber_id = subscribers_in_question.subscriber_id
    where
        keys_in_question.session_id is not null
        or subscribers_in_question.subscriber_id is not null
        or versions.session_id is null

)

{% else %}

-- all but the rows that are accepted as they came: of hundreds of millions a few are left
sessions_in_question as (

    select versions.*
    from {{ source('raw', 'playback_sessions') }} as versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id
    left join {{ ref('base_viewing__repeated_session_keys') }} as repeated_keys
        on {{ key_hash('versions.session_id') }} = repeated_keys.session_key_hash
    where
        repeated_keys.session_key_hash is not null
        or versions.recorded_at >= {{ as_of() }}
        or versions.ended_at >= {{ as_of() }}
        or {{ is_long_playback('versions.started_at', 'versions.ended_at') }}
        or erasures.subscriber_id is not null
        or {{ rule_broken_by_playback() }} is not null

)

{% endif %}

select * from sessions_in_question
