{{ config(
    materialized='incremental',
    incremental_strategy='append',
    meta={'portions': 'int_viewing__build_portions'},
    pre_hook="{{ forget_touched('month_start') }}",
) }}

with

title_viewer_months as (

    select * from {{ made_anew(ref('int_viewing__title_viewer_months'), 'month_start') }}
    where
        watched_seconds > 0
        and {{ is_of_portion('month_start') }}

),

titles as (

    select * from {{ ref('stg_viewing__titles') }}

),

genre_months as (

    select
        title_viewer_months.subscriber_id,
        title_viewer_months.month_start,
        titles.genre,
        cast(sum(title_viewer_months.watched_seconds) as bigint) as watched_seconds,
        cast(sum(title_viewer_months.month_end_watched_seconds) as bigint)
            as month_end_watched_seconds
    from title_viewer_months
    inner join titles
        on title_viewer_months.title_id = titles.title_id
    group by title_viewer_months.subscriber_id, title_viewer_months.month_start, titles.genre

)

select * from genre_months
