{#- shows whoever was erased: in no file, not even as a view of one -#}
{{ config(database='forgotten', materialized='view') }}

-- depends_on: {{ ref('base_viewing__repeated_session_keys') }}
-- depends_on: {{ ref('base_viewing__exception_portions') }}
-- depends_on: {{ ref('base_viewing__keys_in_question') }}
with

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
