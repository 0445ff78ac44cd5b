with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

last_instants as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        max(sessions.started_at) as started_at
    from lifetimes
    inner join {{ ref('stg_viewing__playback_sessions') }} as sessions
        on
            lifetimes.subscriber_id = sessions.subscriber_id
            and lifetimes.started_at <= sessions.started_at
            and lifetimes.ended_at > sessions.started_at
    group by lifetimes.subscriber_id, lifetimes.lifetime_number

),

-- only what began last is sorted, not every session that there is
last_plays as (

    select
        last_instants.subscriber_id,
        last_instants.lifetime_number,
        sessions.session_id,
        sessions.title_id,
        sessions.started_at as last_played_at
    from last_instants
    inner join {{ ref('stg_viewing__playback_sessions') }} as sessions
        on
            last_instants.subscriber_id = sessions.subscriber_id
            and last_instants.started_at = sessions.started_at
    qualify
        row_number() over (
            partition by last_instants.subscriber_id, last_instants.lifetime_number
            order by sessions.session_id desc
        ) = 1

)

select * from last_plays
