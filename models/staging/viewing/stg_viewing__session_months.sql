with

sessions as (

    select * from {{ source('raw', 'playback_sessions') }}

),

session_months as (

    select
        {{ month_start('started_at') }} as month_start,
        count(*) as sessions
    from sessions
    where started_at is not null
    group by {{ month_start('started_at') }}

)

select * from session_months
