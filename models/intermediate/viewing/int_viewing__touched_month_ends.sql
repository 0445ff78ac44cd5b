-- depends_on: {{ ref('int_viewing__touched_dates') }}
with

months as (

    select * from {{ ref('int_calendar__months') }}

),

{% if is_increment() %}

known_clock as (

    select as_of from {{ source('basis', 'clock') }}

),

touched_dates as (

    select * from {{ ref('int_viewing__touched_dates') }}

),

-- of 56 days up to the end of what has elapsed of a month, or of three months, none is of another
touched_month_ends as (

    select
        months.month_start,
        months.started_at,
        months.ended_at
    from months
    inner join touched_dates
        on
            cast(months.month_start - interval 2 month as date) <= touched_dates.last_date
            and months.next_month_start > touched_dates.first_date
    union distinct
    -- more has elapsed of a month that was under way, and of those that were to come
    select
        months.month_start,
        months.started_at,
        months.ended_at
    from months
    inner join known_clock
        on months.ended_at > known_clock.as_of

)

{% else %}

-- all are built anew, and nobody asks
touched_month_ends as (

    select
        month_start,
        started_at,
        ended_at
    from months
    where false

)

{% endif %}

select * from touched_month_ends
