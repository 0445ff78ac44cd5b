with

calendar_days as (

    select * from {{ ref('int_calendar__days') }}

),

-- what lasts less than a week touches eight days at the most, nine where the calendar skips one;
-- dates are met as equals, since a calendar that a wrong clock begins has a million of them
later_dates as (

    {% for days in range(9) -%}
    select
        calendar_date,
        cast(calendar_date + interval {{ days }} day as date) as later_date
    from calendar_days
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

short_spans as (

    select
        later_dates.calendar_date as started_date,
        later_dates.later_date as last_date
    from later_dates
    inner join calendar_days
        on later_dates.later_date = calendar_days.calendar_date
    where later_dates.calendar_date < later_dates.later_date

),

long_spans as (

    select
        started_date,
        last_date
    from {{ ref('int_viewing__plays') }}
    where
        is_exception
        and {{ is_long_playback('started_at', 'ended_at') }}
        and cast(started_date + interval 8 day as date) < last_date
    group by started_date, last_date

),

touched_dates as (

    select
        short_spans.started_date,
        short_spans.last_date,
        later_dates.later_date as calendar_date
    from short_spans
    inner join later_dates
        on
            short_spans.started_date = later_dates.calendar_date
            and short_spans.last_date >= later_dates.later_date

    union all

    select
        long_spans.started_date,
        long_spans.last_date,
        calendar_days.calendar_date
    from long_spans
    inner join calendar_days
        on
            long_spans.started_date <= calendar_days.calendar_date
            and long_spans.last_date >= calendar_days.calendar_date

),

crossed_days as (

    select
        touched_dates.started_date,
        touched_dates.last_date,
        calendar_days.calendar_date,
        calendar_days.started_at,
        calendar_days.ended_at
    from touched_dates
    inner join calendar_days
        on touched_dates.calendar_date = calendar_days.calendar_date
    where calendar_days.started_at < calendar_days.ended_at

)

select * from crossed_days
