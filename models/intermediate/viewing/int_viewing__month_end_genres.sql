{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('month_start') }}",
) }}

with

genre_months as (

    select * from {{ made_anew(ref('int_viewing__genre_months'), 'month_start') }}
    where month_end_watched_seconds > 0

),

most_watched as (

    select
        subscriber_id,
        month_start,
        max(month_end_watched_seconds) as month_end_watched_seconds
    from genre_months
    group by subscriber_id, month_start

),

-- of equals the first by name
month_end_genres as (

    select
        genre_months.subscriber_id,
        genre_months.month_start,
        min(genre_months.genre) as genre
    from genre_months
    inner join most_watched
        on
            genre_months.subscriber_id = most_watched.subscriber_id
            and genre_months.month_start = most_watched.month_start
            and genre_months.month_end_watched_seconds = most_watched.month_end_watched_seconds
    group by genre_months.subscriber_id, genre_months.month_start

)

select * from month_end_genres
