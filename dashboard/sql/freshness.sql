with

daily as (

    select
        table_name,
        profile_date,
        value as arrived_rows
    from quality.feed_profile
    where metric = 'rows'

),

newest as (

    select max(profile_date) as newest_date
    from daily

)

select
    daily.table_name,
    max(daily.profile_date) as newest_date,
    any_value(newest.newest_date) as newest_date_of_all,
    coalesce(
        sum(daily.arrived_rows) filter (where daily.profile_date > newest.newest_date - 7), 0
    ) as rows_in_7_days,
    coalesce(
        sum(daily.arrived_rows) filter (
            where
                daily.profile_date > newest.newest_date - 35
                and daily.profile_date <= newest.newest_date - 7
        ),
        0
    ) / 4.0 as rows_a_week_before
from daily
cross join newest
group by daily.table_name
order by newest_date, daily.table_name
