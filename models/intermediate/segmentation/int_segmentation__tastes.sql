with

genre_days as (

    select * from {{ ref('int_viewing__genre_days') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

genre_months as (

    select
        subscriber_id,
        {{ month_start('viewing_date') }} as viewing_month,
        genre,
        sum(watched_seconds) as watched_seconds
    from genre_days
    group by subscriber_id, {{ month_start('viewing_date') }}, genre

),

genre_windows as (

    select
        genre_months.subscriber_id,
        months.month_start,
        genre_months.genre,
        cast(sum(genre_months.watched_seconds) as bigint) as watched_seconds
    from genre_months
    inner join months
        on
            genre_months.viewing_month >= cast(months.month_start - interval 2 month as date)
            and genre_months.viewing_month <= months.month_start
    group by genre_months.subscriber_id, months.month_start, genre_months.genre

),

ranked_genres as (

    select
        genre_windows.*,
        row_number() over (
            partition by subscriber_id, month_start
            order by watched_seconds desc, genre asc
        ) as genre_rank
    from genre_windows

),

-- integers are summed before anything is divided: the same in any order, as doubles too, which know
-- the squares of all but absurd seconds exactly
tastes as (

    select
        subscriber_id,
        month_start,
        max(case when genre_rank = 1 then genre end) as top_genre,
        max(case when genre_rank = 1 then cast(watched_seconds as double) end)
        / cast(sum(watched_seconds) as double) as top_genre_share,
        sum(cast(watched_seconds as double) * watched_seconds)
        / (cast(sum(watched_seconds) as double) * cast(sum(watched_seconds) as double))
            as genre_concentration,
        cast(sum(watched_seconds) as bigint) as genre_watched_seconds
    from ranked_genres
    group by subscriber_id, month_start

)

select * from tastes
