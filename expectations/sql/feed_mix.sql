-- one row per raw table, judged complete day, column and category: its share against 28 days before
with

bounds as (

    select cast(cast($as_of as timestamp) as date) - 1 as last_complete_day

),

counts as (

    select *
    from quality.feed_profile
    where profile_date > (select last_complete_day - 31 from bounds)
        and profile_date <= (select last_complete_day from bounds)

),

day_rows as (

    select
        table_name,
        profile_date,
        value as row_count
    from counts
    where metric = 'rows'

),

part_rows as (

    select
        table_name,
        profile_date,
        metric,
        column_name,
        case when metric = 'nulls' then 'null' else category end as category,
        value as row_count
    from counts
    where metric in ('nulls', 'category_rows')

),

-- a day, and a history, large enough that chance moves a share by a few hundredths at most
judged_days as (

    select
        day_rows.table_name,
        day_rows.profile_date,
        day_rows.row_count,
        sum(history.row_count) as history_rows
    from day_rows
    inner join day_rows as history
        on
            day_rows.table_name = history.table_name
            and day_rows.profile_date > history.profile_date
            and day_rows.profile_date - 28 <= history.profile_date
    where
        day_rows.row_count >= 200
        and day_rows.profile_date >= (select last_complete_day - 2 from bounds)
    group by day_rows.table_name, day_rows.profile_date, day_rows.row_count
    having count(*) >= 14 and sum(history.row_count) >= 2000

),

shares as (

    select
        judged_days.table_name,
        judged_days.profile_date,
        part_rows.column_name,
        part_rows.category,
        coalesce(
            sum(part_rows.row_count) filter (where part_rows.profile_date = judged_days.profile_date),
            0
        ) / judged_days.row_count as share,
        coalesce(
            sum(part_rows.row_count) filter (where part_rows.profile_date < judged_days.profile_date),
            0
        ) / judged_days.history_rows as usual_share
    from judged_days
    inner join part_rows
        on
            judged_days.table_name = part_rows.table_name
            and judged_days.profile_date >= part_rows.profile_date
            and judged_days.profile_date - 28 <= part_rows.profile_date
    group by
        judged_days.table_name,
        judged_days.profile_date,
        judged_days.row_count,
        judged_days.history_rows,
        part_rows.column_name,
        part_rows.category

)

select
    table_name,
    strftime(profile_date, '%Y-%m-%d') as profile_date,
    column_name,
    category,
    share,
    usual_share,
    share - usual_share as share_change
from shares
order by table_name, profile_date, column_name, category
