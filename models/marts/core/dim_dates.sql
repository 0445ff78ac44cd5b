with

days as (

    select * from {{ ref('int_calendar__days') }}

),

dates as (

    select
        calendar_date,
        month_start,
        cast(extract(year from calendar_date) as integer) as calendar_year,
        cast(extract(quarter from calendar_date) as integer) as calendar_quarter,
        cast(extract(month from calendar_date) as integer) as calendar_month,
        -- 5 January 1970 was a Monday
        cast({{ days_between("date '1970-01-05'", 'calendar_date') }} % 7 + 7 as integer) % 7 + 1
            as iso_day_of_week,
        started_at,
        ended_at,
        ended_at <= {{ as_of() }} as is_complete
    from days

)

select * from dates
