-- one row per cohort of marts.retention_cohorts: how many of its cells are not as they must be
with

cells as (

    select
        *,
        lag(never_lapsed_subscribers) over cohort as previous_never_lapsed_subscribers,
        lag(cohort_size) over cohort as previous_cohort_size,
        row_number() over cohort - 1 as expected_months_since_start,
        lag(retained_subscribers is null) over cohort as is_previous_open
    from marts.retention_cohorts
    window cohort as (partition by cohort_month order by months_since_start)

)

select
    strftime(cohort_month, '%Y-%m') as cohort,
    cast(count(*) filter (where cohort_size < 1 or retained_subscribers > cohort_size) as double)
        as cells_above_size,
    cast(count(*) filter (
        where never_lapsed_subscribers > retained_subscribers or never_lapsed_subscribers < 0
    ) as double) as cells_with_too_many_never_lapsed,
    cast(count(*) filter (
        where never_lapsed_subscribers > previous_never_lapsed_subscribers
    ) as double) as rises_of_never_lapsed,
    cast(count(*) filter (where cohort_size <> previous_cohort_size) as double) as changes_of_size,
    cast(count(*) filter (
        where months_since_start <> expected_months_since_start
        or (is_previous_open and retained_subscribers is not null)
    ) as double) as cells_out_of_place,
    min(retention_rate) as lowest_retention_rate,
    max(retention_rate) as highest_retention_rate
from cells
group by cohort_month
order by cohort_month
