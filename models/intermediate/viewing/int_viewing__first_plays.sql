with

sessions as (

    select * from {{ ref('stg_viewing__playback_sessions') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

first_sessions as (

    select
        session_id,
        subscriber_id,
        title_id,
        started_at
    from sessions
    qualify
        row_number() over (
            partition by subscriber_id
            order by started_at asc, session_id asc
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
