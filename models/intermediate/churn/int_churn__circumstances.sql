with

windows as (

    select * from {{ ref('int_churn__windows') }}

),

viewing_days as (

    select * from {{ ref('int_churn__viewing_days') }}

),

bands as (

    select
        {%- for band in ['light', 'regular', 'heavy', 'buffering'] %}
        max(case when band = '{{ band }}' then lower_bound end) as {{ band }}_from,
        {%- endfor %}
        max(case when band = 'failing' then lower_bound end) as failing_from
    from {{ ref('churn_circumstance_bands') }}

),

genre_totals as (

    select
        windows.subscriber_id,
        windows.month_start,
        windows.lifetime_number,
        windows.has_churned,
        viewing_days.genre,
        sum(viewing_days.viewing_days) as viewing_days,
        sum(viewing_days.plays) as plays,
        sum(viewing_days.failed_plays) as failed_plays,
        sum(viewing_days.rebuffer_ms) as rebuffer_ms,
        sum(viewing_days.played_ms) as played_ms,
        sum(viewing_days.watched_seconds) as watched_seconds
    from windows
    inner join viewing_days
        on
            windows.subscriber_id = viewing_days.subscriber_id
            and windows.window_end_date > viewing_days.viewing_date
            and cast(windows.window_end_date - interval 28 day as date) <= viewing_days.viewing_date
    group by
        windows.subscriber_id,
        windows.month_start,
        windows.lifetime_number,
        windows.has_churned,
        viewing_days.genre

),

top_genres as (

    select
        subscriber_id,
        month_start,
        lifetime_number,
        has_churned,
        genre
    from genre_totals
    where genre is not null and watched_seconds > 0
    qualify
        row_number() over (
            partition by subscriber_id, month_start, lifetime_number, has_churned
            order by watched_seconds desc, genre asc
        ) = 1

),

totals as (

    select
        subscriber_id,
        month_start,
        lifetime_number,
        has_churned,
        sum(viewing_days) as viewing_days,
        sum(plays) as plays,
        cast(sum(failed_plays) as double) / nullif(sum(plays), 0) as failed_share,
        cast(sum(rebuffer_ms) as double) / nullif(sum(played_ms), 0) as rebuffer_ratio
    from genre_totals
    group by subscriber_id, month_start, lifetime_number, has_churned

),

circumstances as (

    select
        windows.subscriber_id,
        windows.month_start,
        windows.lifetime_number,
        windows.has_churned,
        case
            when totals.viewing_days >= bands.heavy_from then 'heavy'
            when totals.viewing_days >= bands.regular_from then 'regular'
            when totals.viewing_days >= bands.light_from then 'light'
            else 'none'
        end as viewing,
        case
            when coalesce(totals.plays, 0) = 0 then 'none'
            when totals.failed_share >= bands.failing_from then 'failing'
            when totals.rebuffer_ratio >= bands.buffering_from then 'buffering'
            else 'smooth'
        end as playback,
        coalesce(top_genres.genre, 'none') as genre
    from windows
    cross join bands
    left join totals
        on
            windows.subscriber_id = totals.subscriber_id
            and windows.month_start = totals.month_start
            and windows.lifetime_number = totals.lifetime_number
            and windows.has_churned = totals.has_churned
    left join top_genres
        on
            windows.subscriber_id = top_genres.subscriber_id
            and windows.month_start = top_genres.month_start
            and windows.lifetime_number = top_genres.lifetime_number
            and windows.has_churned = top_genres.has_churned

)

select * from circumstances
