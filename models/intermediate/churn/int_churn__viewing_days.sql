with

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

session_days as (

    select * from {{ ref('int_viewing__session_days') }}

),

titles as (

    select * from {{ ref('stg_viewing__titles') }}

),

plays as (

    select * from {{ ref('int_viewing__plays') }}

),

observations as (

    select
        subscriber_id,
        viewing_date,
        cast(null as string) as genre,
        1 as viewing_days,
        plays,
        0 as failed_plays,
        0 as rebuffer_ms,
        0 as played_ms,
        0 as watched_seconds
    from subscriber_days
    union all
    select
        subscriber_id,
        {{ local_date('started_at') }} as viewing_date,
        cast(null as string) as genre,
        0 as viewing_days,
        0 as plays,
        case when is_startup_failure or has_error then 1 else 0 end as failed_plays,
        coalesce(rebuffer_ms, 0) as rebuffer_ms,
        case when rebuffer_ms is null then 0 else rebuffer_ms + watched_seconds * 1000 end
            as played_ms,
        0 as watched_seconds
    from plays
    union all
    select
        session_days.subscriber_id,
        session_days.viewing_date,
        titles.genre,
        0 as viewing_days,
        0 as plays,
        0 as failed_plays,
        0 as rebuffer_ms,
        0 as played_ms,
        session_days.watched_seconds
    from session_days
    inner join titles
        on session_days.title_id = titles.title_id

),

daily_totals as (

    select
        subscriber_id,
        viewing_date,
        genre,
        cast(sum(viewing_days) as bigint) as viewing_days,
        cast(sum(plays) as bigint) as plays,
        cast(sum(failed_plays) as bigint) as failed_plays,
        cast(sum(rebuffer_ms) as bigint) as rebuffer_ms,
        cast(sum(played_ms) as bigint) as played_ms,
        cast(sum(watched_seconds) as bigint) as watched_seconds
    from observations
    group by subscriber_id, viewing_date, genre

)

select * from daily_totals
