with

window_months as (

    select * from {{ ref('int_churn__window_months') }}

),

genre_days as (

    select
        subscriber_id,
        viewing_date,
        {{ month_start('viewing_date') }} as viewing_month,
        genre,
        watched_seconds
    from {{ ref('int_viewing__genre_days') }}

),

genre_totals as (

    select
        window_months.subscriber_id,
        window_months.lifetime_number,
        window_months.month_start,
        genre_days.genre,
        sum(genre_days.watched_seconds) as watched_seconds
    from window_months
    inner join genre_days
        on
            window_months.subscriber_id = genre_days.subscriber_id
            and window_months.viewing_month = genre_days.viewing_month
            and window_months.window_start_date <= genre_days.viewing_date
            and window_months.window_end_date > genre_days.viewing_date
    group by
        window_months.subscriber_id,
        window_months.lifetime_number,
        window_months.month_start,
        genre_days.genre

),

most_watched as (

    select
        subscriber_id,
        lifetime_number,
        month_start,
        max(watched_seconds) as watched_seconds
    from genre_totals
    group by subscriber_id, lifetime_number, month_start

),

-- of equals the first by name
window_genres as (

    select
        genre_totals.subscriber_id,
        genre_totals.lifetime_number,
        genre_totals.month_start,
        min(genre_totals.genre) as genre
    from genre_totals
    inner join most_watched
        on
            genre_totals.subscriber_id = most_watched.subscriber_id
            and genre_totals.lifetime_number = most_watched.lifetime_number
            and genre_totals.month_start = most_watched.month_start
            and genre_totals.watched_seconds = most_watched.watched_seconds
    group by
        genre_totals.subscriber_id,
        genre_totals.lifetime_number,
        genre_totals.month_start

)

select * from window_genres
