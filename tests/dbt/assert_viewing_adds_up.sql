-- no second and no play is lost or gained on the way from raw rows to sessions and days
with

accepted_totals as (

    select accepted_rows as plays
    from {{ ref('row_reconciliation') }}
    where table_name = 'playback_sessions'

),

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
    accepted_totals.plays as accepted_plays,
    session_totals.plays,
    session_totals.watched_seconds,
    daily_totals.plays as daily_plays,
    daily_totals.watched_seconds as daily_watched_seconds
from session_totals
cross join daily_totals
cross join accepted_totals
where
    session_totals.plays <> daily_totals.plays
    or session_totals.watched_seconds <> daily_totals.watched_seconds
    or session_totals.plays <> accepted_totals.plays
