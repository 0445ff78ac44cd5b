with

windows as (

    select * from {{ ref('int_churn__windows') }}

),

month_end_genres as (

    select * from {{ ref('int_viewing__month_end_genres') }}

),

title_days as (

    select * from {{ ref('int_viewing__title_days') }}
    where watched_seconds > 0

),

titles as (

    select * from {{ ref('stg_viewing__titles') }}

),

-- of whoever stays the window is the end of the month
stayer_genres as (

    select
        windows.subscriber_id,
        windows.lifetime_number,
        windows.month_start,
        month_end_genres.genre
    from windows
    inner join month_end_genres
        on
            windows.subscriber_id = month_end_genres.subscriber_id
            and windows.month_start = month_end_genres.month_start
    where not windows.has_churned

),

genre_totals as (

    select
        windows.subscriber_id,
        windows.lifetime_number,
        windows.month_start,
        titles.genre,
        sum(title_days.watched_seconds) as watched_seconds
    from windows
    inner join title_days
        on
            windows.subscriber_id = title_days.subscriber_id
            and windows.window_start_date <= title_days.viewing_date
            and windows.window_end_date > title_days.viewing_date
    inner join titles
        on title_days.title_id = titles.title_id
    where windows.has_churned
    group by windows.subscriber_id, windows.lifetime_number, windows.month_start, titles.genre

),

-- of equals the first by name
leaver_genres as (

    select
        subscriber_id,
        lifetime_number,
        month_start,
        genre
    from genre_totals
    qualify
        row_number() over (
            partition by subscriber_id, lifetime_number, month_start
            order by watched_seconds desc, genre asc
        ) = 1

),

window_genres as (

    select * from stayer_genres
    union all
    select * from leaver_genres

)

select * from window_genres
