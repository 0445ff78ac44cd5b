with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

ended_lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

viewing_days as (

    select
        subscriber_id,
        viewing_date,
        first_played_at,
        last_played_at
    from {{ ref('int_viewing__subscriber_days') }}
    where first_played_at is not null

),

-- the first day on which a play began after the sign-up has both the least start and the least last
first_spans as (

    select
        subscribers.subscriber_id,
        0 as lifetime_number,
        min(viewing_days.viewing_date) as viewing_date,
        greatest(min(viewing_days.first_played_at), subscribers.signed_up_at) as earliest_at,
        min(viewing_days.last_played_at) as latest_at
    from viewing_days
    inner join subscribers
        on
            viewing_days.subscriber_id = subscribers.subscriber_id
            and viewing_days.last_played_at >= subscribers.signed_up_at
    group by subscribers.subscriber_id, subscribers.signed_up_at

),

-- no play of the lifetime is later but for those on the day on which it ends
last_days as (

    select
        ended_lifetimes.subscriber_id,
        ended_lifetimes.lifetime_number,
        ended_lifetimes.started_at,
        ended_lifetimes.ended_at,
        max(viewing_days.viewing_date) as viewing_date,
        max(
            case
                when viewing_days.last_played_at < ended_lifetimes.ended_at
                    then viewing_days.last_played_at
                else viewing_days.first_played_at
            end
        ) as known_played_at
    from ended_lifetimes
    inner join viewing_days
        on
            ended_lifetimes.subscriber_id = viewing_days.subscriber_id
            and ended_lifetimes.ended_at > viewing_days.first_played_at
            and ended_lifetimes.started_at <= viewing_days.last_played_at
    group by
        ended_lifetimes.subscriber_id,
        ended_lifetimes.lifetime_number,
        ended_lifetimes.started_at,
        ended_lifetimes.ended_at

),

play_spans as (

    select
        subscriber_id,
        lifetime_number,
        viewing_date,
        earliest_at,
        latest_at
    from first_spans
    union all
    select
        subscriber_id,
        lifetime_number,
        viewing_date,
        greatest(known_played_at, started_at) as earliest_at,
        ended_at - interval 1 microsecond as latest_at
    from last_days

)

select * from play_spans
