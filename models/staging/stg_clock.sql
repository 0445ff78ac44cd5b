with

{% if var('as_of') %}

clock as (

    select cast('{{ var("as_of") }}' as timestamp) as as_of

)

{% else %}

newest_deals as (

    select max(recorded_at) as newest_at
    from {{ source('raw', 'subscription_changes') }}
    union all
    select max(recorded_at) as newest_at
    from {{ source('raw', 'payments') }}

),

-- what came before the newest of these can't set the clock: of nearly all files their greatest
-- values say that nothing else is in them
newest_sessions as (

    select max(recorded_at) as newest_at
    from {{ source('raw', 'playback_sessions') }}
    where
        recorded_at >= (
            select coalesce(max(newest_deals.newest_at), timestamp '0001-01-01 00:00:00')
            from newest_deals
        )

),

arrivals as (

    select
        newest_at,
        1 as preference
    from newest_deals
    union all
    select
        newest_at,
        1 as preference
    from newest_sessions
    union all
    -- a service that has sold and shown nothing yet still has people who signed up
    select
        max(recorded_at) as newest_at,
        2 as preference
    from {{ source('raw', 'subscribers') }}
    union all
    select
        timestamp '1970-01-01 00:00:00' as newest_at,
        3 as preference

),

newest_by_preference as (

    select
        preference,
        max(newest_at) as newest_at
    from arrivals
    where newest_at is not null
    group by preference

),

clock as (

    select cast(date_trunc('second', newest_at) + interval 1 second as timestamp) as as_of
    from newest_by_preference
    qualify row_number() over (order by preference) = 1

)

{% endif %}

select * from clock
