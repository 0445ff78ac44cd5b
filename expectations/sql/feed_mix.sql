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
    where
        metric in ('nulls', 'category_rows')
        -- the newest rows have not been resolved, scored or clicked yet
        and not (
            metric = 'nulls'
            and column_name in ('resolved_at', 'csat_score', 'opened_at', 'clicked_at')
        )

),

-- a day, and a history, large enough that a share of them means something
judged_days as (

    select
        day_rows.table_name,
        day_rows.profile_date,
        day_rows.row_count,
        sum(history.row_count) as history_rows,
        count(*) as history_days
    from day_rows
    inner join day_rows as history
        on
            day_rows.table_name = history.table_name
            and day_rows.profile_date > history.profile_date
            and day_rows.profile_date - 28 <= history.profile_date
    where
        day_rows.row_count >= 100
        and day_rows.profile_date >= (select last_complete_day - 2 from bounds)
    group by day_rows.table_name, day_rows.profile_date, day_rows.row_count
    having count(*) >= 14 and sum(history.row_count) >= 1000

),

-- on this scale chance moves a share by as much whatever the share: by 1 / sqrt(rows)
angles as (

    select
        part_rows.table_name,
        part_rows.profile_date,
        part_rows.column_name,
        part_rows.category,
        part_rows.row_count,
        2 * asin(sqrt(least(part_rows.row_count / day_rows.row_count, 1))) as angle
    from part_rows
    inner join day_rows
        on
            part_rows.table_name = day_rows.table_name
            and part_rows.profile_date = day_rows.profile_date

),

shares as (

    select
        judged_days.table_name,
        judged_days.profile_date,
        angles.column_name,
        angles.category,
        judged_days.row_count,
        judged_days.history_rows,
        judged_days.history_days,
        coalesce(
            sum(angles.row_count) filter (where angles.profile_date = judged_days.profile_date), 0
        ) / judged_days.row_count as share,
        coalesce(
            sum(angles.row_count) filter (where angles.profile_date < judged_days.profile_date), 0
        ) / judged_days.history_rows as usual_share,
        -- days without any of the category have an angle of 0, and no row
        coalesce(
            sum(angles.angle) filter (where angles.profile_date < judged_days.profile_date), 0
        ) / judged_days.history_days as usual_angle,
        coalesce(
            sum(angles.angle * angles.angle)
                filter (where angles.profile_date < judged_days.profile_date),
            0
        ) / judged_days.history_days as usual_squared_angle
    from judged_days
    inner join angles
        on
            judged_days.table_name = angles.table_name
            and judged_days.profile_date >= angles.profile_date
            and judged_days.profile_date - 28 <= angles.profile_date
    group by
        judged_days.table_name,
        judged_days.profile_date,
        judged_days.row_count,
        judged_days.history_rows,
        judged_days.history_days,
        angles.column_name,
        angles.category

)

-- a change within six spreads, chance's or the days' own if that is wider, counts as none
select
    table_name,
    strftime(profile_date, '%Y-%m-%d') as profile_date,
    column_name,
    category,
    share,
    usual_share,
    case
        when
            abs(2 * asin(sqrt(least(share, 1))) - 2 * asin(sqrt(least(usual_share, 1))))
            <= 6 * greatest(
                sqrt(1.0 / row_count + 1.0 / history_rows),
                sqrt(greatest(usual_squared_angle - usual_angle * usual_angle, 0))
            )
            then 0
        else share - usual_share
    end as share_change
from shares
order by table_name, profile_date, column_name, category
