{{ config(materialized='view') }}

-- depends_on: {{ ref('base_viewing__exceptional_sessions') }}
-- depends_on: {{ ref('base_viewing__keys_in_question') }}
with

{% if is_increment() %}

{%- for build, exceptional_sessions in {
    'current': ref('base_viewing__exceptional_sessions'),
    'known': source('basis', 'exceptional_sessions'),
}.items() %}

{{ build }}_verdicts as (

    select
        verdicts.session_id,
        max(case when verdicts.version_rank = 1 and verdicts.broken_rule is null then 1 else 0 end)
            as is_accepted
    from {{ exceptional_sessions }} as verdicts
    inner join {{ ref('base_viewing__keys_in_question') }} as keys_in_question
        on verdicts.session_id = keys_in_question.session_id
    group by verdicts.session_id

),
{%- endfor %}

changed_session_keys as (

    select coalesce(current_verdicts.session_id, known_verdicts.session_id) as session_id
    from current_verdicts
    full outer join known_verdicts
        on current_verdicts.session_id = known_verdicts.session_id
    -- what is no exception is accepted as it came
    where coalesce(current_verdicts.is_accepted, 1) <> coalesce(known_verdicts.is_accepted, 1)

)

{% else %}

-- all are built anew, and nobody asks
changed_session_keys as (

    select session_id
    from {{ ref('base_viewing__exceptional_sessions') }}
    where false

)

{% endif %}

select * from changed_session_keys
