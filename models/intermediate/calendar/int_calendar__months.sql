with

days as (

    select * from {{ ref('int_calendar__days') }}

),

months as (

    select
        month_start,
        {{ next_month('month_start') }} as next_month_start
    from days
    group by month_start

),

months_with_instants as (

    select
        month_start,
        next_month_start,
        {{ first_instant('month_start') }} as started_at,
        {{ first_instant('next_month_start') }} as ended_at
    from months

),

elapsed_months as (

    select
        months_with_instants.*,
        ended_at <= {{ as_of() }} as is_complete,
        least(ended_at, {{ as_of() }}) as elapsed_until_at,
        -- the day of the last instant before the horizon has begun, so it is not future
        least(
            next_month_start,
            {{ next_day(local_date(as_of() ~ ' - interval 1 microsecond')) }}
        ) as elapsed_until_date
    from months_with_instants

)

select * from elapsed_months
