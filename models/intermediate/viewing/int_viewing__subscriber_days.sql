{{ config(
    materialized='incremental',
    incremental_strategy='append',
    meta={'portions': 'int_viewing__build_portions'},
    pre_hook="{{ forget_touched(month_start('viewing_date')) }}",
) }}

with

session_days as (

    select * from {{ ref('int_viewing__days_to_count') }}

),

subscriber_days as (

    select
        subscriber_id,
        viewing_date,
        count(*) filter (where is_first_day) as plays,
        count(*) filter (where is_first_day and is_valid_play) as valid_plays,
        -- null where no play has a known runtime: nobody can say whether any was completed
        cast(
            sum(case when is_completed_play then 1 when not is_completed_play then 0 end) filter (
                where is_first_day
            ) as bigint
        ) as completed_plays,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        cast(sum(seen_seconds) as bigint) as seen_seconds,
        count(distinct case when is_first_day then title_id end) as titles,
        count(*) filter (where is_first_day and has_failed) as failed_plays,
        -- a double adds integers up to 9 * 10^15 exactly, and absurd ones without an overflow
        cast(coalesce(sum(rebuffer_ms) filter (where is_first_day), 0) as double) as rebuffer_ms,
        cast(coalesce(sum(measured_seconds) filter (where is_first_day), 0) as double)
            as measured_seconds,
        min(case when is_first_day then started_at end) as first_played_at,
        max(case when is_first_day then started_at end) as last_played_at,
        max(ended_at) as last_ended_at
    from session_days
    group by subscriber_id, viewing_date

)

select * from subscriber_days
