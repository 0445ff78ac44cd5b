with

days as (

    select * from {{ ref('int_calendar__days') }}

),

months as (

    select
        month_start,
        {{ next_month('month_start') }} as next_month_start,
        count(*) filter (where started_at >= ended_at) as skipped_days
    from days
    group by month_start

),

months_with_instants as (

    select
        month_start,
        next_month_start,
        skipped_days,
        {{ first_instant('month_start') }} as started_at,
        {{ first_instant('next_month_start') }} as ended_at
    from months

),

elapsed_months as (

    select
        month_start,
        next_month_start,
        skipped_days,
        started_at,
        ended_at,
        ended_at <= {{ as_of() }} as is_complete,
        least(ended_at, {{ as_of() }}) as elapsed_until_at,
        -- the day of the last instant before the horizon has begun, so it is not future
        least(
            next_month_start,
            {{ next_day(local_date(as_of() ~ ' - interval 1 microsecond')) }}
        ) as elapsed_until_date
    from months_with_instants

),

months_with_days as (

    select
        month_start,
        next_month_start,
        started_at,
        ended_at,
        is_complete,
        elapsed_until_at,
        elapsed_until_date,
        -- a zone that changes sides of the date line skips a day
        cast({{ days_between('month_start', 'elapsed_until_date') }} - skipped_days as integer)
            as elapsed_days
    from elapsed_months

)

select * from months_with_days
