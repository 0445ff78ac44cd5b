with

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

viewing as (

    select
        subscriber_id,
        viewing_date,
        cast(plays as bigint) as plays,
        cast(valid_plays as bigint) as valid_plays,
        cast(completed_plays as bigint) as completed_plays,
        cast(watched_seconds as bigint) as watched_seconds,
        cast(titles as bigint) as titles
    from subscriber_days

)

select * from viewing
