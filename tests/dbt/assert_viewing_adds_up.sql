{#-
    No second and no play is lost or gained on the way from raw rows to days. What should be there is reckoned
    from all raw rows and the verdicts on some: without asking which rows are read as plain sessions, so that
    what this held back or let through is noticed as well.
-#}
with

judged_rows as (

    select
        coalesce(
            sum(cast(watched_seconds as decimal(19, 0)) * cast(copies as decimal(18, 0))), 0
        ) as judged_seconds,
        coalesce(
            sum(watched_seconds) filter (where version_rank = 1 and broken_rule is null), 0
        ) as accepted_seconds
    from {{ ref('base_viewing__exceptional_sessions') }}

),

all_rows as (

    select coalesce(sum(watched_seconds), 0) as raw_seconds
    from {{ source('raw', 'playback_sessions') }}

),

-- apart: of nearly all files their least and greatest values say that there is nothing in them
rows_recorded_beyond as (

    select coalesce(sum(watched_seconds), 0) as beyond_seconds
    from {{ source('raw', 'playback_sessions') }}
    where {{ is_beyond_horizon('recorded_at') }}

),

rows_ended_beyond as (

    select coalesce(sum(watched_seconds), 0) as beyond_seconds
    from {{ source('raw', 'playback_sessions') }}
    where
        {{ is_beyond_horizon('ended_at') }}
        and {{ exists_at_horizon('recorded_at') }}

),

accepted_totals as (

    select
        row_reconciliation.accepted_rows as plays,
        all_rows.raw_seconds
        - rows_recorded_beyond.beyond_seconds
        - rows_ended_beyond.beyond_seconds
        - judged_rows.judged_seconds
        + judged_rows.accepted_seconds as watched_seconds
    from {{ ref('row_reconciliation') }} as row_reconciliation
    cross join all_rows
    cross join rows_recorded_beyond
    cross join rows_ended_beyond
    cross join judged_rows
    where row_reconciliation.table_name = 'playback_sessions'

),

daily_totals as (

    select
        coalesce(sum(plays), 0) as plays,
        coalesce(sum(watched_seconds), 0) as watched_seconds
    from {{ ref('viewing_daily') }}

)

select
    accepted_totals.plays as accepted_plays,
    accepted_totals.watched_seconds as accepted_watched_seconds,
    daily_totals.plays as daily_plays,
    daily_totals.watched_seconds as daily_watched_seconds
from accepted_totals
cross join daily_totals
where
    accepted_totals.plays <> daily_totals.plays
    or accepted_totals.watched_seconds <> daily_totals.watched_seconds
