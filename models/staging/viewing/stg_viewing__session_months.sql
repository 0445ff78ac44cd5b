with

{% if is_increment() %}

-- what the last build counted need not be read again; what it saw beyond its horizon counts twice, which
-- matters little to a size
session_months as (

    select
        month_start,
        sessions
    from {{ source('basis', 'session_months') }}
    union all
    select
        {{ month_start('started_at') }} as month_start,
        count(*) as sessions
    from {{ source('arrivals', 'playback_sessions') }}
    where started_at is not null
    group by {{ month_start('started_at') }}

),

{% else %}

session_months as (

    select
        {{ month_start('started_at') }} as month_start,
        count(*) as sessions
    from {{ source('raw', 'playback_sessions') }}
    where started_at is not null
    group by {{ month_start('started_at') }}

),

{% endif %}

totals as (

    select
        month_start,
        cast(sum(sessions) as bigint) as sessions
    from session_months
    group by month_start

)

select * from totals
