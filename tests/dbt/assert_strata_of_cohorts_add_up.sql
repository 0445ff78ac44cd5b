-- the values of each stratum are the cohort, whole, in every month
with

cohorts as (

    select * from {{ ref('retention_cohorts') }}

),

strata as (

    select * from {{ ref('retention_cohorts_by_stratum') }}

),

sums as (

    select
        stratum,
        cohort_month,
        months_since_start,
        sum(cohort_size) as cohort_size,
        sum(retained_subscribers) as retained_subscribers,
        sum(never_lapsed_subscribers) as never_lapsed_subscribers
    from strata
    group by stratum, cohort_month, months_since_start

),

kinds as (

    select 'plan_tier' as stratum
    union all
    select 'country' as stratum
    union all
    select 'channel' as stratum

),

expected as (

    select
        kinds.stratum,
        cohorts.cohort_month,
        cohorts.months_since_start,
        cohorts.cohort_size,
        cohorts.retained_subscribers,
        cohorts.never_lapsed_subscribers
    from cohorts
    cross join kinds

)

select
    coalesce(expected.stratum, sums.stratum) as stratum,
    coalesce(expected.cohort_month, sums.cohort_month) as cohort_month,
    coalesce(expected.months_since_start, sums.months_since_start) as months_since_start
from expected
full outer join sums
    on
        expected.stratum = sums.stratum
        and expected.cohort_month = sums.cohort_month
        and expected.months_since_start = sums.months_since_start
where
    expected.stratum is null
    or sums.stratum is null
    or expected.cohort_size <> sums.cohort_size
    or coalesce(expected.retained_subscribers, -1) <> coalesce(sums.retained_subscribers, -1)
    or coalesce(expected.never_lapsed_subscribers, -1)
    <> coalesce(sums.never_lapsed_subscribers, -1)
