-- depends_on: {{ ref('base_subscribers__subscribers') }}
-- depends_on: {{ ref('stg_subscribers__erasures') }}
with

{% if is_increment() %}

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

keys_in_question as (

    select session_id
    from {{ source('arrivals', 'playback_sessions') }}
    where session_id is not null
    union distinct
    select session_id
    from {{ source('basis', 'exceptional_sessions') }}
    where
        session_id is not null
        and {{ is_judged_again('broken_rule', 'is_of_erased') }}
    union distinct
    select sessions.session_id
    from {{ source('raw', 'playback_sessions') }} as sessions
    inner join subscribers_in_question
        on sessions.subscriber_id = subscribers_in_question.subscriber_id
    where sessions.session_id is not null

)

{% else %}

-- all are judged, and nobody asks
keys_in_question as (

    select session_id
    from {{ source('raw', 'playback_sessions') }}
    where false

)

{% endif %}

select * from keys_in_question
