with

titles as (

    select * from {{ ref('stg_viewing__titles') }}

),

title_viewer_months as (

    select * from {{ ref('int_viewing__title_viewer_months') }}

),

first_plays as (

    select * from {{ ref('int_viewing__first_plays') }}

),

last_plays as (

    select * from {{ ref('int_viewing__last_plays') }}

),

early_viewers as (

    select * from {{ ref('int_viewing__early_viewers') }}

),

viewer_survivals as (

    select * from {{ ref('int_viewing__title_survivals') }}
    where is_early_viewer

),

other_survivals as (

    select * from {{ ref('int_viewing__title_survivals') }}
    where not is_early_viewer

),

viewing_totals as (

    select
        title_id,
        cast(sum(plays) as bigint) as plays,
        cast(sum(valid_plays) as bigint) as valid_plays,
        count(distinct subscriber_id) as viewers,
        cast(sum(watched_seconds) as double) / 3600 as watched_hours,
        cast(sum(completable_plays) as bigint) as completable_plays,
        cast(sum(completed_plays) as bigint) as completed_plays
    from title_viewer_months
    group by title_id

),

first_title_totals as (

    select
        title_id,
        count(*) as subscribers
    from first_plays
    group by title_id

),

last_title_totals as (

    select
        title_id,
        count(*) as lifetimes
    from last_plays
    group by title_id

),

early_viewer_totals as (

    select
        title_id,
        count(*) as lifetimes
    from early_viewers
    group by title_id

),

populations as (

    select count(*) as lifetimes
    from {{ ref('int_viewing__landmark_lifetimes') }}

),

title_performance as (

    select
        coalesce(titles.title_id, viewing_totals.title_id) as title_id,
        titles.title_name,
        titles.content_type,
        titles.genre,
        titles.series_id,
        titles.title_id is not null as is_in_catalogue,
        coalesce(viewing_totals.plays, 0) as plays,
        coalesce(viewing_totals.valid_plays, 0) as valid_plays,
        coalesce(viewing_totals.viewers, 0) as viewers,
        coalesce(viewing_totals.watched_hours, 0) as watched_hours,
        coalesce(viewing_totals.completable_plays, 0) as completable_plays,
        coalesce(viewing_totals.completed_plays, 0) as completed_plays,
        cast(viewing_totals.completed_plays as double) / nullif(viewing_totals.completable_plays, 0)
            as completion_rate,
        coalesce(first_title_totals.subscribers, 0) as first_title_subscribers,
        coalesce(last_title_totals.lifetimes, 0) as last_title_churns,
        coalesce(early_viewer_totals.lifetimes, 0) as early_viewers,
        populations.lifetimes - coalesce(early_viewer_totals.lifetimes, 0) as other_subscribers,
        viewer_survivals.survival as early_viewers_survival,
        viewer_survivals.std_error as early_viewers_std_error,
        other_survivals.survival as other_subscribers_survival,
        other_survivals.std_error as other_subscribers_std_error,
        viewer_survivals.survival - other_survivals.survival as survival_difference,
        sqrt(power(viewer_survivals.std_error, 2) + power(other_survivals.std_error, 2))
            as survival_difference_std_error
    from titles
    full join viewing_totals
        on titles.title_id = viewing_totals.title_id
    left join first_title_totals
        on viewing_totals.title_id = first_title_totals.title_id
    left join last_title_totals
        on viewing_totals.title_id = last_title_totals.title_id
    left join early_viewer_totals
        on viewing_totals.title_id = early_viewer_totals.title_id
    left join viewer_survivals
        on viewing_totals.title_id = viewer_survivals.title_id
    left join other_survivals
        on viewing_totals.title_id = other_survivals.title_id
    cross join populations

)

select * from title_performance
