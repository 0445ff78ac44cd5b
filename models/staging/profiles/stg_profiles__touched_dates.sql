with

clock as (

    select as_of from {{ ref('stg_clock') }}

),

{% if is_increment() %}

-- a row that says nothing of time counts on the last day before the horizon, which moves
horizons as (

    select as_of from clock
    union all
    select as_of from {{ source('basis', 'clock') }}

),

touched_dates as (

    select cast(as_of - interval 1 second as date) as profile_date
    from horizons
    union distinct
    select cast(coalesce(recorded_at, ended_at) as date) as profile_date
    from {{ source('arrivals', 'playback_sessions') }}
    where coalesce(recorded_at, ended_at) is not null

)

{% else %}

-- all are profiled anew, and nobody asks
touched_dates as (

    select cast(as_of as date) as profile_date
    from clock
    where false

)

{% endif %}

select * from touched_dates
