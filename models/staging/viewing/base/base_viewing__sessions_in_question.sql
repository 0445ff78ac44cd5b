{#- knows who was erased: never in a file -#}
{{ config(database='forgotten', materialized='view') }}

-- depends_on: {{ ref('base_viewing__repeated_session_keys') }}
-- depends_on: {{ ref('base_viewing__exception_portions') }}
-- depends_on: {{ ref('base_subscribers__subscribers') }}
-- depends_on: {{ ref('stg_subscribers__erasures') }}
with

{% if is_increment() %}

keys_in_question as (

    select session_id from {{ source('basis', 'exceptional_sessions') }}
    union distinct
    select session_id from {{ source('arrivals', 'playback_sessions') }}

),

-- of who is accepted only now all sessions are exceptions already
subscribers_in_question as (

    select subscriber_id from {{ ref('stg_subscribers__erasures') }}
    union distinct
    select known_subscribers.subscriber_id
    from {{ source('basis', 'subscribers') }} as known_subscribers
    left join {{ ref('base_subscribers__subscribers') }} as subscribers
        on
            known_subscribers.subscriber_id = subscribers.subscriber_id
            and subscribers.version_rank = 1
            and subscribers.broken_rule is null
    where subscribers.subscriber_id is null

),

-- every other row came alone, was accepted as it came, and nothing has come that could change that
rows_in_question as (

    select versions.*
    from {{ source('raw', 'playback_sessions') }} as versions
    left join keys_in_question
        on versions.session_id = keys_in_question.session_id
    left join subscribers_in_question
        on versions.subscriber_id = subscribers_in_question.subscriber_id
    where
        (
            keys_in_question.session_id is not null
            or subscribers_in_question.subscriber_id is not null
            or versions.session_id is null
        )
        and {{ is_of_key_portion(key_hash('versions.session_id')) }}

),

keys_of_several_rows as (

    select session_id
    from rows_in_question
    group by session_id
    having count(*) > 1

),

sessions_in_question as (

    select
        rows_in_question.*,
        keys_of_several_rows.session_id is not null as is_repeated
    from rows_in_question
    left join keys_of_several_rows
        on rows_in_question.session_id = keys_of_several_rows.session_id

)

{% else %}

-- any row may break a rule
sessions_in_question as (

    select
        versions.*,
        repeated_keys.session_key_hash is not null as is_repeated
    from {{ source('raw', 'playback_sessions') }} as versions
    left join {{ ref('base_viewing__repeated_session_keys') }} as repeated_keys
        on
            {{ key_hash('versions.session_id') }} = repeated_keys.session_key_hash
            and {{ is_of_key_portion('repeated_keys.session_key_hash') }}
    where {{ is_of_key_portion(key_hash('versions.session_id')) }}

)

{% endif %}

select * from sessions_in_question
