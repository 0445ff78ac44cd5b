with

lifetime_strata as (

    select * from {{ ref('int_clv__lifetime_strata') }}

),

lifetime_counts as (

    select
        stratum_id,
        period,
        count(*) filter (where has_churned) as churned,
        count(*) filter (where not has_churned) as censored
    from lifetime_strata
    group by stratum_id, period

)

select * from lifetime_counts
