with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

-- the first day on which a play began after the sign-up has both the least start and the least last
first_spans as (

    select
        subscribers.subscriber_id,
        subscribers.signed_up_at,
        greatest(min(subscriber_days.first_played_at), subscribers.signed_up_at) as earliest_at,
        min(subscriber_days.last_played_at) as latest_at
    from subscriber_days
    inner join subscribers
        on
            subscriber_days.subscriber_id = subscribers.subscriber_id
            and subscriber_days.last_played_at >= subscribers.signed_up_at
    group by subscribers.subscriber_id, subscribers.signed_up_at

),

first_sessions as (

    select
        sessions.session_id,
        sessions.subscriber_id,
        sessions.title_id,
        sessions.started_at,
        first_spans.signed_up_at
    from first_spans
    inner join {{ ref('stg_viewing__playback_sessions') }} as sessions
        on
            first_spans.subscriber_id = sessions.subscriber_id
            and first_spans.earliest_at <= sessions.started_at
            and first_spans.latest_at >= sessions.started_at
    qualify
        row_number() over (
            partition by sessions.subscriber_id
            order by sessions.started_at asc, sessions.session_id asc
        ) = 1

),

first_plays as (

    select
        subscriber_id,
        session_id,
        title_id,
        started_at as first_played_at,
        {{ local_date('started_at') }} as first_viewing_date,
        {{ microseconds_between('signed_up_at', 'started_at') }} / cast(3600000000 as double)
            as hours_since_sign_up
    from first_sessions

)

select * from first_plays
