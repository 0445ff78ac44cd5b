{{ config(meta={'fault': 'input'}) }}

with

-- of nearly all files the greatest values say that there is none
absurd_plays as (

    select
        session_id,
        watched_seconds
    from {{ ref('stg_viewing__playback_sessions') }}
    where watched_seconds >= 10000000000

),

totals as (

    select
        count(*) as plays,
        max(watched_seconds) as longest_seconds,
        max_by(session_id, watched_seconds) as longest_session_id,
        sum({{ wide('watched_seconds') }}) as watched_seconds
    from absurd_plays

)

select
    'playback_sessions' as table_name,
    plays,
    'playback_sessions: ' || cast(plays as string)
    || ' of its plays were watched for more than three hundred years, that of '
    || longest_session_id || ' for ' || cast(longest_seconds as string)
    || ' seconds, and 64 bits can''t hold what they add up to' as message
from totals
-- a sum has little room left for all other plays
where watched_seconds > 9000000000000000000
