with

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

viewing as (

    select
        subscriber_id,
        viewing_date,
        plays,
        valid_plays,
        completed_plays,
        watched_seconds,
        titles
    from subscriber_days

)

select * from viewing
