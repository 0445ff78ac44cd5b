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

titles as (

    select * from {{ ref('stg_viewing__titles') }}

),

genre_days as (

    select
        session_days.subscriber_id,
        session_days.viewing_date,
        titles.genre,
        cast(sum(session_days.seen_seconds) as bigint) as watched_seconds
    from session_days
    inner join titles
        on session_days.title_id = titles.title_id
    group by session_days.subscriber_id, session_days.viewing_date, titles.genre
    -- asked of each play, its share of the day would be worked out twice
    having sum(session_days.seen_seconds) > 0

)

select * from genre_days
