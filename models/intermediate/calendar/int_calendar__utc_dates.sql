with

limits as (

    select
        cast(min(started_at) as date) as first_date,
        cast(max(ended_at) as date) as last_date
    from {{ ref('int_calendar__days') }}

),

calendar_dates as (

    {{ day_series('limits', 'first_date', 'last_date') }}

),

dates_with_instants as (

    select
        calendar_date as utc_date,
        cast(calendar_date as timestamp) as started_at,
        cast({{ next_day('calendar_date') }} as timestamp) as ended_at
    from calendar_dates

),

dates_by_the_clock as (

    select
        utc_date,
        started_at,
        {{ local_timestamp('started_at') }} as local_started_at,
        {{ local_timestamp('ended_at') }} as local_ended_at
    from dates_with_instants

),

-- a clock that is put forward or back in between is ahead of UTC by more or less at the end
utc_dates as (

    select
        utc_date,
        cast(local_started_at as date) as earlier_date,
        {{ next_day('local_started_at') }} as later_date,
        started_at
        + (cast({{ next_day('local_started_at') }} as timestamp) - local_started_at)
            as later_started_at
    from dates_by_the_clock
    where local_ended_at = local_started_at + interval 1 day

)

select * from utc_dates
