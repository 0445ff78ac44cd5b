{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('month_start', touched='int_viewing__touched_month_ends') }}",
) }}

with

windows as (

    select
        month_start,
        cast(elapsed_until_date - interval 28 day as date) as window_start_date,
        elapsed_until_date
    from {{ ref('int_calendar__months') }}

),

-- a day is of one window, and of that of the month under way: none is compared with each play
window_dates as (

    select
        days.calendar_date,
        windows.month_start
    from {{ ref('int_calendar__days') }} as days
    inner join windows
        on
            days.calendar_date >= windows.window_start_date
            and days.calendar_date < windows.elapsed_until_date

),

plays as (

    {{ by_month_end(
        ref('int_viewing__plays'),
        windows='window_dates',
        joined_on='counted.started_date = windows.calendar_date',
        of_months=within_months(
            'counted.started_at', 'int_viewing__touched_month_ends', days_before=29
        ) if is_increment() else 'true',
        of_replaced_ids='counted.is_exception',
    ) }}

),

window_profiles as (

    select
        subscriber_id,
        profile_id,
        month_end
    from plays
    where profile_id is not null
    group by subscriber_id, profile_id, month_end

),

profile_windows as (

    select
        subscriber_id,
        month_end as month_start,
        cast(count(*) as integer) as profiles_28d
    from window_profiles
    group by subscriber_id, month_end

)

select * from profile_windows
