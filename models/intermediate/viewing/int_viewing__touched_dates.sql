-- depends_on: {{ ref('base_viewing__exceptional_sessions') }}
-- depends_on: {{ ref('stg_subscribers__erasures') }}
-- depends_on: {{ ref('base_viewing__changed_session_keys') }}
-- depends_on: {{ ref('stg_viewing__titles') }}
with

{% if is_increment() %}

arrived_keys as (

    select distinct session_id from {{ source('arrivals', 'playback_sessions') }}

),

-- from when on each request that came, or one before it, may tell two people of one id apart: always
-- where nobody is erased by it any more, and all sessions are somebody else's again
arrived_requests as (

    select
        arrived.subscriber_id,
        case
            when count(erasures.subscriber_id) > 0 then min(requests.requested_at)
            else timestamp '0001-01-01 00:00:00'
        end as earliest_requested_at
    from {{ source('arrivals', 'erasure_requests') }} as arrived
    inner join {{ source('raw', 'erasure_requests') }} as requests
        on arrived.subscriber_id = requests.subscriber_id
    left join {{ ref('stg_subscribers__erasures') }} as erasures
        on arrived.subscriber_id = erasures.subscriber_id
    group by arrived.subscriber_id

),

-- of a key that has come, every version: as an exception, or as the one row that came. Of a key that is
-- accepted only now or no more, what is raw, since it may be no exception now
touched_sessions as (

    select
        started_at,
        ended_at
    from {{ source('arrivals', 'playback_sessions') }}
    where session_id is not null
    union all
    select
        sessions.started_at,
        sessions.ended_at
    from {{ ref('base_viewing__exceptional_sessions') }} as sessions
    inner join arrived_keys
        on sessions.session_id = arrived_keys.session_id
    union all
    select
        sessions.started_at,
        sessions.ended_at
    from {{ source('raw', 'playback_sessions') }} as sessions
    inner join {{ ref('base_viewing__changed_session_keys') }} as changed_keys
        on sessions.session_id = changed_keys.session_id
    union all
    -- what was over before the request is counted as ever, by another id
    select
        sessions.started_at,
        sessions.ended_at
    from {{ source('raw', 'playback_sessions') }} as sessions
    inner join arrived_requests
        on
            sessions.subscriber_id = arrived_requests.subscriber_id
            and sessions.ended_at >= arrived_requests.earliest_requested_at

),

current_titles as (

    select
        title_id,
        content_type,
        genre,
        runtime_seconds
    from {{ ref('stg_viewing__titles') }}

),

known_titles as (

    select * from {{ source('basis', 'titles') }}

),

changed_titles as (

    (select * from current_titles except select * from known_titles)
    union all
    (select * from known_titles except select * from current_titles)

),

touched_by_titles as (

    select
        sessions.started_at,
        sessions.ended_at
    from {{ source('raw', 'playback_sessions') }} as sessions
    inner join changed_titles
        on sessions.title_id = changed_titles.title_id

),

touched_spans as (

    select
        {{ local_date('started_at') }} as started_date,
        {{ local_date('ended_at') }} as ended_date
    from touched_sessions
    union distinct
    select
        {{ local_date('started_at') }} as started_date,
        {{ local_date('ended_at') }} as ended_date
    from touched_by_titles

),

-- a clock that is put back over midnight ends a session on the day before it began
touched_dates as (

    select
        least(started_date, ended_date) as first_date,
        greatest(started_date, ended_date) as last_date
    from touched_spans

)

{% else %}

-- all are built anew, and nobody asks
touched_dates as (

    select
        calendar_date as first_date,
        calendar_date as last_date
    from {{ ref('int_calendar__days') }}
    where false

)

{% endif %}

select * from touched_dates
