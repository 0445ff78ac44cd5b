with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

first_instants as (

    select
        subscriber_id,
        min(first_played_at) as started_at
    from {{ ref('int_viewing__subscriber_days') }}
    where first_played_at is not null
    group by subscriber_id

),

first_sessions as (

    select
        sessions.session_id,
        sessions.subscriber_id,
        sessions.title_id,
        sessions.started_at
    from first_instants
    inner join {{ ref('stg_viewing__playback_sessions') }} as sessions
        on
            first_instants.subscriber_id = sessions.subscriber_id
            and first_instants.started_at = sessions.started_at
    qualify
        row_number() over (
            partition by sessions.subscriber_id
            order by sessions.session_id asc
        ) = 1

),

first_plays as (

    select
        first_sessions.subscriber_id,
        first_sessions.session_id,
        first_sessions.title_id,
        first_sessions.started_at as first_played_at,
        {{ local_date('first_sessions.started_at') }} as first_viewing_date,
        -- a play before the sign-up says that one of the two is wrong, not that it took no time
        case
            when first_sessions.started_at >= subscribers.signed_up_at
                then
                    {{ microseconds_between(
                        'subscribers.signed_up_at', 'first_sessions.started_at'
                    ) }}
                    / cast(3600000000 as double)
        end as hours_since_sign_up
    from first_sessions
    inner join subscribers
        on first_sessions.subscriber_id = subscribers.subscriber_id

)

select * from first_plays
