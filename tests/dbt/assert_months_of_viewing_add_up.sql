-- what is added up month by month has the days, plays and seconds of the days it is made of
with

day_totals as (

    select
        count(*) as viewing_days,
        coalesce(sum(plays), 0) as plays,
        coalesce(sum(seen_seconds), 0) as seen_seconds
    from {{ ref('int_viewing__subscriber_days') }}

),

month_totals as (

    select
        coalesce(sum(viewing_days), 0) as viewing_days,
        coalesce(sum(plays), 0) as plays,
        coalesce(sum(seen_seconds), 0) as seen_seconds
    from {{ ref('int_viewing__subscriber_months') }}

),

tier_totals as (

    select
        coalesce(sum(viewing_days), 0) as viewing_days,
        coalesce(sum(seen_seconds), 0) as seen_seconds
    from {{ ref('int_viewing__tier_months') }}

)

select
    day_totals.viewing_days,
    day_totals.plays,
    day_totals.seen_seconds,
    month_totals.viewing_days as month_viewing_days,
    month_totals.plays as month_plays,
    month_totals.seen_seconds as month_seen_seconds,
    tier_totals.viewing_days as tier_viewing_days,
    tier_totals.seen_seconds as tier_seen_seconds
from day_totals
cross join month_totals
cross join tier_totals
where
    day_totals.viewing_days <> month_totals.viewing_days
    or day_totals.plays <> month_totals.plays
    or day_totals.seen_seconds <> month_totals.seen_seconds
    or day_totals.viewing_days <> tier_totals.viewing_days
    or day_totals.seen_seconds <> tier_totals.seen_seconds
