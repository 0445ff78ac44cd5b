with

ranked as (

    select
        stratum,
        stratum_value,
        row_number() over (
            partition by stratum
            order by sum(cohort_size) filter (where months_since_start = 0) desc, stratum_value
        ) as size_rank
    from marts.retention_cohorts_by_stratum
    group by stratum, stratum_value

)

select
    cohorts.stratum,
    cohorts.stratum_value,
    cohorts.cohort_month,
    cohorts.months_since_start,
    cohorts.cohort_size,
    cohorts.retained_subscribers,
    cohorts.never_lapsed_subscribers
from marts.retention_cohorts_by_stratum as cohorts
inner join ranked
    on cohorts.stratum = ranked.stratum and cohorts.stratum_value = ranked.stratum_value
where
    ranked.size_rank <= 8
    -- three years: with more, the parts would be many times the whole
    and cohorts.cohort_month >= greatest(
        getvariable('first_month'), cast(getvariable('last_month') - interval 36 month as date)
    )
order by cohorts.stratum, ranked.size_rank, cohorts.cohort_month, cohorts.months_since_start
