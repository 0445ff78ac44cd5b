with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

leavers as (

    select
        subscriber_id,
        lifetime_number,
        end_month as month_start,
        true as has_churned,
        {{ local_date('ended_at') }} as window_end_date
    from lifetimes
    where ended_at is not null

),

-- whom a month did not lose, looked at as it ends
stayers as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        months.month_start,
        false as has_churned,
        months.next_month_start as window_end_date
    from lifetimes
    inner join months
        on
            lifetimes.start_month <= months.month_start
            and {{ open_end('lifetimes.end_month', 'date') }} > months.month_start
    where months.is_complete

),

all_windows as (

    select * from leavers
    union all
    select * from stayers

),

windows as (

    select
        *,
        cast(window_end_date - interval 28 day as date) as window_start_date
    from all_windows

)

select * from windows
