with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

viewing_days as (

    select
        subscriber_id,
        first_played_at,
        last_played_at
    from {{ ref('int_viewing__subscriber_days') }}
    where first_played_at is not null

),

-- no play of the lifetime is later but for those on the day on which it ends
last_days as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.started_at,
        lifetimes.ended_at,
        max(
            case
                when viewing_days.last_played_at < lifetimes.ended_at
                    then viewing_days.last_played_at
                else viewing_days.first_played_at
            end
        ) as known_played_at
    from lifetimes
    inner join viewing_days
        on
            lifetimes.subscriber_id = viewing_days.subscriber_id
            and lifetimes.ended_at > viewing_days.first_played_at
            and lifetimes.started_at <= viewing_days.last_played_at
    group by
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.started_at,
        lifetimes.ended_at

),

last_plays as (

    select
        last_days.subscriber_id,
        last_days.lifetime_number,
        sessions.session_id,
        sessions.title_id,
        sessions.started_at as last_played_at
    from last_days
    inner join {{ ref('stg_viewing__playback_sessions') }} as sessions
        on
            last_days.subscriber_id = sessions.subscriber_id
            and last_days.known_played_at <= sessions.started_at
            and last_days.started_at <= sessions.started_at
            and last_days.ended_at > sessions.started_at
    qualify
        row_number() over (
            partition by last_days.subscriber_id, last_days.lifetime_number
            order by sessions.started_at desc, sessions.session_id desc
        ) = 1

)

select * from last_plays
