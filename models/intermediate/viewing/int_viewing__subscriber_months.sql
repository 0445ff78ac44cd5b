{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('month_start') }}",
) }}

with

subscriber_days as (

    select
        *,
        {{ month_start('viewing_date') }} as month_start,
        {{ is_at_month_end('viewing_date') }} as is_at_month_end
    from {{ made_anew(ref('int_viewing__subscriber_days'), 'viewing_date') }}

),

subscriber_months as (

    select
        subscriber_id,
        month_start,
        count(*) as viewing_days,
        cast(sum(plays) as bigint) as plays,
        cast(sum(valid_plays) as bigint) as valid_plays,
        cast(sum(seen_seconds) as bigint) as seen_seconds,
        max(viewing_date) as last_viewing_date,
        max(last_ended_at) as last_ended_at,
        count(*) filter (where is_at_month_end) as month_end_viewing_days,
        cast(coalesce(sum(plays) filter (where is_at_month_end), 0) as bigint)
            as month_end_plays,
        cast(coalesce(sum(failed_plays) filter (where is_at_month_end), 0) as bigint)
            as month_end_failed_plays,
        coalesce(sum(rebuffer_ms) filter (where is_at_month_end), 0) as month_end_rebuffer_ms,
        coalesce(
            sum(rebuffer_ms + measured_seconds * 1000) filter (where is_at_month_end), 0
        ) as month_end_played_ms
    from subscriber_days
    group by subscriber_id, month_start

)

select * from subscriber_months
