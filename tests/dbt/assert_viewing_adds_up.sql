-- no second and no play is lost or gained on the way from sessions to days
with

session_totals as (

    select
        count(*) as plays,
        coalesce(sum(watched_seconds), 0) as watched_seconds
    from {{ ref('stg_viewing__playback_sessions') }}

),

daily_totals as (

    select
        coalesce(sum(plays), 0) as plays,
        coalesce(sum(watched_seconds), 0) as watched_seconds
    from {{ ref('viewing_daily') }}

)

select
    session_totals.plays,
    session_totals.watched_seconds,
    daily_totals.plays as daily_plays,
    daily_totals.watched_seconds as daily_watched_seconds
from session_totals
inner join daily_totals
    on
        session_totals.plays <> daily_totals.plays
        or session_totals.watched_seconds <> daily_totals.watched_seconds
