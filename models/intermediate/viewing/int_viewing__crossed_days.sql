with

calendar_days as (

    select * from {{ ref('int_calendar__days') }}

),

-- what lasts less touches eight days at the most, nine where the calendar skips one
short_spans as (

    select
        first_days.calendar_date as started_date,
        last_days.calendar_date as last_date
    from calendar_days as first_days
    inner join calendar_days as last_days
        on
            first_days.calendar_date < last_days.calendar_date
            and cast(first_days.calendar_date + interval 8 day as date) >= last_days.calendar_date

),

long_spans as (

    select
        started_date,
        last_date
    from {{ ref('int_viewing__plays') }}
    where
        is_exception
        and {{ is_long_playback('started_at', 'ended_at') }}
    group by started_date, last_date

),

spans as (

    select * from short_spans
    union distinct
    select * from long_spans

),

crossed_days as (

    select
        spans.started_date,
        spans.last_date,
        calendar_days.calendar_date,
        calendar_days.started_at,
        calendar_days.ended_at
    from spans
    inner join calendar_days
        on
            spans.started_date <= calendar_days.calendar_date
            and spans.last_date >= calendar_days.calendar_date
            and calendar_days.started_at < calendar_days.ended_at

)

select * from crossed_days
