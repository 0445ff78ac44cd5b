with

span_plays as (

    select * from {{ ref('int_viewing__span_plays') }}
    where lifetime_number = 0

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

first_plays as (

    select
        span_plays.subscriber_id,
        span_plays.session_id,
        span_plays.title_id,
        span_plays.started_at as first_played_at,
        span_plays.viewing_date as first_viewing_date,
        {{ microseconds_between('subscribers.signed_up_at', 'span_plays.started_at') }}
        / cast(3600000000 as double) as hours_since_sign_up
    from span_plays
    inner join subscribers
        on span_plays.subscriber_id = subscribers.subscriber_id

)

select * from first_plays
