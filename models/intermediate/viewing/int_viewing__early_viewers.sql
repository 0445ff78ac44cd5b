with

landmark_lifetimes as (

    select * from {{ ref('int_viewing__landmark_lifetimes') }}

),

session_days as (

    select * from {{ ref('int_viewing__session_days') }}
    where
        is_first_day
        and is_valid_play
        and title_id is not null

),

early_viewers as (

    select
        session_days.title_id,
        landmark_lifetimes.subscriber_id,
        landmark_lifetimes.days_since_landmark,
        landmark_lifetimes.has_churned
    from landmark_lifetimes
    inner join session_days
        on
            landmark_lifetimes.subscriber_id = session_days.subscriber_id
            and landmark_lifetimes.first_date <= session_days.viewing_date
            and landmark_lifetimes.landmark_date > session_days.viewing_date
    group by
        session_days.title_id,
        landmark_lifetimes.subscriber_id,
        landmark_lifetimes.days_since_landmark,
        landmark_lifetimes.has_churned

)

select * from early_viewers
