with

landmark_lifetimes as (

    select * from {{ ref('int_viewing__landmark_lifetimes') }}

),

early_viewers as (

    select * from {{ ref('int_viewing__early_viewers') }}

),

days_since_landmark as (

    {{ integer_series(0, var('title_horizon_days')) }}

),

all_ends as (

    select
        days_since_landmark,
        count(*) as lifetimes,
        count(*) filter (where has_churned) as churned
    from landmark_lifetimes
    group by days_since_landmark

),

early_viewer_ends as (

    select
        title_id,
        days_since_landmark,
        count(*) as lifetimes,
        count(*) filter (where has_churned) as churned
    from early_viewers
    group by title_id, days_since_landmark

),

populations as (

    select count(*) as lifetimes
    from landmark_lifetimes

),

title_viewers as (

    select
        title_id,
        count(*) as lifetimes
    from early_viewers
    group by title_id

),

-- too few on either side say nothing about the title
judged_titles as (

    select title_viewers.title_id
    from title_viewers
    cross join populations
    where
        title_viewers.lifetimes >= {{ var('title_minimum_lifetimes') }}
        and populations.lifetimes - title_viewers.lifetimes >= {{ var('title_minimum_lifetimes') }}

),

title_days as (

    select
        judged_titles.title_id,
        days_since_landmark.number as days_since_landmark,
        coalesce(early_viewer_ends.lifetimes, 0) as viewer_ends,
        coalesce(early_viewer_ends.churned, 0) as churned_viewers,
        coalesce(all_ends.lifetimes, 0) as all_ends,
        coalesce(all_ends.churned, 0) as all_churned
    from judged_titles
    cross join days_since_landmark
    left join all_ends
        on days_since_landmark.number = all_ends.days_since_landmark
    left join early_viewer_ends
        on
            judged_titles.title_id = early_viewer_ends.title_id
            and days_since_landmark.number = early_viewer_ends.days_since_landmark

),

group_days as (

    select
        title_id,
        true as is_early_viewer,
        days_since_landmark,
        viewer_ends as lifetimes,
        churned_viewers as churned
    from title_days
    union all
    select
        title_id,
        false as is_early_viewer,
        days_since_landmark,
        all_ends - viewer_ends as lifetimes,
        all_churned - churned_viewers as churned
    from title_days

),

risk_sets as (

    select
        title_id,
        is_early_viewer,
        days_since_landmark,
        cast(
            sum(lifetimes) over (
                partition by title_id, is_early_viewer
                order by days_since_landmark desc
                rows between unbounded preceding and current row
            ) as bigint
        ) as at_risk,
        churned
    from group_days

)

select * from risk_sets
