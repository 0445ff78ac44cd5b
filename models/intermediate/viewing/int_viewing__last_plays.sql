with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

sessions as (

    select * from {{ ref('stg_viewing__playback_sessions') }}

),

last_plays as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        sessions.session_id,
        sessions.title_id,
        sessions.started_at as last_played_at
    from lifetimes
    inner join sessions
        on
            lifetimes.subscriber_id = sessions.subscriber_id
            and lifetimes.started_at <= sessions.started_at
            and lifetimes.ended_at > sessions.started_at
    qualify
        row_number() over (
            partition by lifetimes.subscriber_id, lifetimes.lifetime_number
            order by sessions.started_at desc, sessions.session_id desc
        ) = 1

)

select * from last_plays
