-- one row per raw table, judged day and figure of a column that has a limit of its own
with

bounds as (

    select
        cast(cast($as_of as timestamp) - interval 1 microsecond as date) as today,
        cast(cast($as_of as timestamp) as date) - 1 as last_complete_day

),

limits as (

    select
        table_name,
        strftime(profile_date, '%Y-%m-%d') as profile_date,
        case when metric = 'category_rows' then 'unlisted' else metric end
        || '_' || column_name as figure,
        case when metric = 'category_rows' then share else value end as value
    from quality.feed_profile
    where
        profile_date >= (select last_complete_day - 2 from bounds)
        and profile_date <= (select today from bounds)
        and (
            metric in ('minimum', 'maximum')
            or (metric = 'category_rows' and category = 'unlisted')
        )

)

select * from limits
order by table_name, profile_date, figure
