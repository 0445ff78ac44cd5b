with

crossings as (

    select
        started_date,
        last_date
    from {{ ref('int_viewing__plays') }}
    where last_date > started_date
    group by started_date, last_date

),

days as (

    select * from {{ ref('int_calendar__days') }}

),

crossed_days as (

    select
        crossings.started_date,
        crossings.last_date,
        days.calendar_date,
        days.started_at,
        days.ended_at
    from crossings
    inner join days
        on
            crossings.started_date <= days.calendar_date
            and crossings.last_date >= days.calendar_date
            and days.started_at < days.ended_at

)

select * from crossed_days
