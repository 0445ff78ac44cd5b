with

span_plays as (

    select * from {{ ref('int_viewing__span_plays') }}
    where lifetime_number > 0

),

last_plays as (

    select
        subscriber_id,
        lifetime_number,
        session_id,
        title_id,
        started_at as last_played_at
    from span_plays

)

select * from last_plays
