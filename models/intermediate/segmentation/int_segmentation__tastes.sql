{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('month_start', touched='int_viewing__touched_month_ends') }}",
) }}

with

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- each month with those that count in it: itself and the two before
window_months as (

    {% for months_before in range(3) %}
    select
        month_start,
        cast(month_start - interval {{ months_before }} month as date) as viewing_month
    from months
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

genre_months as (

    {{ by_month_end(
        ref('int_viewing__genre_months'),
        windows='window_months',
        joined_on='counted.month_start = windows.viewing_month',
    ) }}

),

genre_windows as (

    select
        subscriber_id,
        month_end as month_start,
        genre,
        cast(sum(watched_seconds) as bigint) as watched_seconds
    from genre_months
    group by subscriber_id, month_end, genre

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
