with

landmark_lifetimes as (

    select * from {{ ref('int_viewing__landmark_lifetimes') }}

),

early_plays as (

    select * from {{ ref('int_viewing__title_days') }}
    where valid_plays > 0

),

early_viewers as (

    select
        early_plays.title_id,
        landmark_lifetimes.subscriber_id,
        landmark_lifetimes.days_since_landmark,
        landmark_lifetimes.has_churned
    from landmark_lifetimes
    inner join early_plays
        on
            landmark_lifetimes.subscriber_id = early_plays.subscriber_id
            and landmark_lifetimes.first_date <= early_plays.viewing_date
            and landmark_lifetimes.landmark_date > early_plays.viewing_date
    group by
        early_plays.title_id,
        landmark_lifetimes.subscriber_id,
        landmark_lifetimes.days_since_landmark,
        landmark_lifetimes.has_churned

)

select * from early_viewers
