with

months as (

    select * from {{ ref('int_calendar__months') }}

),

touched_dates as (

    select * from {{ ref('int_viewing__touched_dates') }}

),

touched_months as (

    select
        months.month_start,
        months.started_at,
        months.ended_at
    from months
    inner join touched_dates
        on
            months.month_start <= touched_dates.last_date
            and months.next_month_start > touched_dates.first_date
    group by months.month_start, months.started_at, months.ended_at

)

select * from touched_months
