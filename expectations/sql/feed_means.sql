-- one row per raw table, judged complete day, column and currency: its mean against 28 days before
with

bounds as (

    select cast(cast($as_of as timestamp) as date) - 1 as last_complete_day

),

recent as (

    select *
    from quality.feed_profile
    where profile_date > (select last_complete_day - 31 from bounds)
        and profile_date <= (select last_complete_day from bounds)

),

-- the rows that a sum is of: those of the currency, or all that are not null
counts as (

    select
        table_name,
        profile_date,
        category,
        value as row_count
    from recent
    where (metric = 'category_rows' and column_name = 'currency') or metric = 'rows'

),

nulls as (

    select
        table_name,
        profile_date,
        column_name,
        value as null_rows
    from recent
    where metric = 'nulls'

),

sums as (

    select
        recent.table_name,
        recent.profile_date,
        recent.column_name,
        recent.category,
        recent.value as total,
        counts.row_count
        - case when recent.category = 'all' then coalesce(nulls.null_rows, 0) else 0 end as row_count
    from recent
    inner join counts
        on
            recent.table_name = counts.table_name
            and recent.profile_date = counts.profile_date
            and recent.category = counts.category
    left join nulls
        on
            recent.table_name = nulls.table_name
            and recent.profile_date = nulls.profile_date
            and recent.column_name = nulls.column_name
    where recent.metric = 'sum'

),

-- enough rows for a mean to be steady; a rate is no sample, and one row a day is all there is
means as (

    select
        sums.table_name,
        sums.profile_date,
        sums.column_name,
        sums.category,
        sums.total / nullif(sums.row_count, 0) as mean,
        sum(history.total) / nullif(sum(history.row_count), 0) as usual_mean
    from sums
    inner join sums as history
        on
            sums.table_name = history.table_name
            and sums.column_name = history.column_name
            and sums.category = history.category
            and sums.profile_date > history.profile_date
            and sums.profile_date - 28 <= history.profile_date
    where
        sums.profile_date >= (select last_complete_day - 2 from bounds)
        and (sums.row_count >= 20 or sums.column_name = 'rate')
    group by
        sums.table_name,
        sums.profile_date,
        sums.column_name,
        sums.category,
        sums.total,
        sums.row_count
    having
        count(*) >= 14
        and (sum(history.row_count) >= 300 or sums.column_name = 'rate')

)

select
    table_name,
    strftime(profile_date, '%Y-%m-%d') as profile_date,
    category,
    'mean_ratio_' || column_name as figure,
    case when usual_mean > 0 then mean / usual_mean end as value
from means
order by table_name, profile_date, category, figure
