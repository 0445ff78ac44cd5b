with

windows as (

    select * from {{ ref('int_churn__windows') }}

),

dated_windows as (

    select
        subscriber_id,
        lifetime_number,
        month_start,
        cast(window_end_date - interval 28 day as date) as window_start_date,
        window_end_date,
        {{ month_start('window_end_date - interval 28 day') }} as first_month,
        {{ month_start('window_end_date - interval 1 day') }} as last_month
    from windows

),

-- 28 days touch one month or two: joined by month, a window meets two months of days and no more
window_months as (

    select
        subscriber_id,
        lifetime_number,
        month_start,
        window_start_date,
        window_end_date,
        last_month as viewing_month
    from dated_windows
    union all
    select
        subscriber_id,
        lifetime_number,
        month_start,
        window_start_date,
        window_end_date,
        first_month as viewing_month
    from dated_windows
    where first_month < last_month

)

select * from window_months
