with

curves as (

    select
        survival_curves.*,
        lag(survival) over (
            partition by stratum, stratum_value order by tenure_days
        ) as previous_survival,
        lag(at_risk - churned - censored) over (
            partition by stratum, stratum_value order by tenure_days
        ) as left_at_risk
    from {{ ref('survival_curves') }} as survival_curves

)

select *
from curves
where
    survival > previous_survival
    or at_risk <> left_at_risk
    or ci_lower > survival
    or ci_upper < survival
