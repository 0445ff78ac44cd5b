with

sessions as (

    select * from {{ ref('stg_viewing__playback_sessions') }}

),

titles as (

    select * from {{ ref('stg_viewing__titles') }}

),

days as (

    select * from {{ ref('int_calendar__days') }}

),

-- the last instant lies just before the end: a session that ends at midnight stays on its day
plays as (

    select
        sessions.session_id,
        sessions.subscriber_id,
        sessions.title_id,
        sessions.started_at,
        sessions.ended_at,
        sessions.watched_seconds,
        {{ local_date('sessions.started_at') }} as started_date,
        {{ local_date(
            'greatest(sessions.started_at, sessions.ended_at - interval 1 microsecond)'
        ) }} as last_date,
        sessions.watched_seconds >= 30 as is_valid_play,
        case
            when titles.content_type <> 'live'
                then sessions.watched_seconds * 10 >= titles.runtime_seconds * 9
        end as is_completed_play
    from sessions
    left join titles
        on sessions.title_id = titles.title_id

),

whole_days as (

    select
        session_id,
        subscriber_id,
        started_date as viewing_date,
        title_id,
        true as is_first_day,
        is_valid_play,
        is_completed_play,
        watched_seconds
    from plays
    where last_date <= started_date

),

crossings as (

    select
        plays.*,
        days.calendar_date as viewing_date,
        {{ microseconds_between('plays.started_at', 'plays.ended_at') }} as session_microseconds,
        {{ microseconds_between(
            'plays.started_at', 'greatest(days.started_at, plays.started_at)'
        ) }} as microseconds_before,
        {{ microseconds_between(
            'plays.started_at', 'least(days.ended_at, plays.ended_at)'
        ) }} as microseconds_until
    from plays
    inner join days
        on
            plays.started_date <= days.calendar_date
            and plays.last_date >= days.calendar_date
            and days.started_at < days.ended_at
    where plays.last_date > plays.started_date

),

-- shares are differences of one running total, so that they add up to the session
shared_days as (

    select
        session_id,
        subscriber_id,
        viewing_date,
        title_id,
        viewing_date = started_date as is_first_day,
        is_valid_play,
        is_completed_play,
        cast(
            {{ divide_rounded(
                'cast(watched_seconds as decimal(38, 0)) * microseconds_until',
                'session_microseconds',
            ) }}
            - {{ divide_rounded(
                'cast(watched_seconds as decimal(38, 0)) * microseconds_before',
                'session_microseconds',
            ) }} as bigint
        ) as watched_seconds
    from crossings

),

session_days as (

    select * from whole_days
    union all
    select * from shared_days

)

select * from session_days
