{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('month_start', touched='int_viewing__touched_month_ends') }}",
) }}

with

windows as (

    select
        month_start,
        cast(elapsed_until_date - interval 56 day as date) as earlier_start_date,
        cast(elapsed_until_date - interval 28 day as date) as window_start_date,
        elapsed_until_date
    from {{ ref('int_calendar__months') }}

),

-- a day is of two windows, and of that of the month under way: none is compared with each day
window_dates as (

    select
        days.calendar_date,
        windows.month_start,
        days.calendar_date < windows.window_start_date as is_earlier
    from {{ ref('int_calendar__days') }} as days
    inner join windows
        on
            days.calendar_date >= windows.earlier_start_date
            and days.calendar_date < windows.elapsed_until_date

),

viewing_days as (

    {{ by_month_end(
        ref('int_viewing__subscriber_days'),
        windows='window_dates',
        joined_on='counted.viewing_date = windows.calendar_date',
        columns=['is_earlier'],
    ) }}

),

viewing_windows as (

    select
        subscriber_id,
        month_end as month_start,
        cast(count(*) filter (where not is_earlier) as integer) as viewing_days_28d,
        cast(count(*) filter (where is_earlier) as integer) as earlier_viewing_days_28d
    from viewing_days
    group by subscriber_id, month_end

)

select * from viewing_windows
