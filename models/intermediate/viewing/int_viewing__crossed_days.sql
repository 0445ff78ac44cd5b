with

calendar_days as (

    select * from {{ ref('int_calendar__days') }}

),

-- what lasts less touches eight days at the most, nine where the calendar skips one
days_apart as (
    {% for days in range(9) %}
    select {{ days }} as days
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- looked up day by day: a calendar that begins with a clock gone wrong has hundreds of thousands
short_spans as (

    select
        first_days.calendar_date as started_date,
        last_days.calendar_date as last_date
    from calendar_days as first_days
    cross join days_apart
    inner join calendar_days as last_days
        on
            cast(first_days.calendar_date + days_apart.days * interval 1 day as date)
            = last_days.calendar_date
    where days_apart.days > 0

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

touched_dates as (

    select
        short_spans.started_date,
        short_spans.last_date,
        cast(short_spans.started_date + days_apart.days * interval 1 day as date) as calendar_date
    from short_spans
    cross join days_apart

    union distinct

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
    where
        touched_dates.calendar_date <= touched_dates.last_date
        and calendar_days.started_at < calendar_days.ended_at

)

select * from crossed_days
