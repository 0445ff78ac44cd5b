{{ config(
    materialized='incremental',
    incremental_strategy='append',
    meta={'portions': 'int_viewing__build_portions'},
    pre_hook="{{ forget_touched('month_start') }}",
) }}

with

session_days as (

    select * from {{ ref('int_viewing__days_to_count') }}
    where title_id is not null

),

title_viewer_months as (

    select
        title_id,
        subscriber_id,
        {{ month_start('viewing_date') }} as month_start,
        count(*) filter (where is_first_day) as plays,
        count(*) filter (where is_first_day and is_valid_play) as valid_plays,
        cast(sum(seen_seconds) as bigint) as watched_seconds,
        cast(
            coalesce(sum(seen_seconds) filter (where {{ is_at_month_end('viewing_date') }}), 0)
            as bigint
        ) as month_end_watched_seconds,
        count(is_completed_play) filter (where is_first_day) as completable_plays,
        count(*) filter (where is_first_day and is_completed_play) as completed_plays
    from session_days
    group by title_id, subscriber_id, {{ month_start('viewing_date') }}

)

select * from title_viewer_months
