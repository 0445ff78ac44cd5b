-- who never lapsed is retained, who is retained is of the cohort, and a lapse is never undone
with

cohorts as (

    select
        retention_cohorts.*,
        lag(never_lapsed_subscribers) over (
            partition by cohort_month order by months_since_start
        ) as previously_never_lapsed
    from {{ ref('retention_cohorts') }} as retention_cohorts

)

select *
from cohorts
where
    never_lapsed_subscribers > retained_subscribers
    or retained_subscribers > cohort_size
    or never_lapsed_subscribers > previously_never_lapsed
