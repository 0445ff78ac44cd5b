select
    cohort_month,
    months_since_start,
    cohort_size,
    retained_subscribers,
    never_lapsed_subscribers
from marts.retention_cohorts
where cohort_month >= getvariable('first_month')
order by cohort_month, months_since_start
