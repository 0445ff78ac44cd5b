with

viewing_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

windows as (

    select
        month_start,
        cast(elapsed_until_date - interval 56 day as date) as earlier_start_date,
        cast(elapsed_until_date - interval 28 day as date) as window_start_date,
        elapsed_until_date
    from {{ ref('int_calendar__months') }}

),

viewing_windows as (

    select
        viewing_days.subscriber_id,
        windows.month_start,
        cast(
            count(*) filter (
                where viewing_days.viewing_date >= windows.window_start_date
            ) as integer
        ) as viewing_days_28d,
        cast(
            count(*) filter (
                where viewing_days.viewing_date < windows.window_start_date
            ) as integer
        ) as earlier_viewing_days_28d
    from viewing_days
    inner join windows
        on
            viewing_days.viewing_date >= windows.earlier_start_date
            and viewing_days.viewing_date < windows.elapsed_until_date
    group by viewing_days.subscriber_id, windows.month_start

)

select * from viewing_windows
