-- one row per kind of stratum of marts.survival_curves: how many of its steps are not as they must be
with

steps as (

    select
        *,
        lag(survival) over curve as previous_survival,
        lag(at_risk - churned - censored) over curve as still_at_risk,
        lead(tenure_days) over curve is null as is_last
    from marts.survival_curves
    window curve as (partition by stratum, stratum_value order by tenure_days)

)

select
    stratum,
    min(survival) as lowest_survival,
    max(survival) as highest_survival,
    -- a product of factors up to 1 never rises; what differs in the last digits is arithmetic
    cast(count(*) filter (where survival > previous_survival + 1e-9) as double) as rises,
    cast(count(*) filter (
        where ci_lower > survival + 1e-9
        or ci_upper < survival - 1e-9
        or ci_lower < 0
        or ci_upper > 1
        or std_error < 0
    ) as double) as wrong_intervals,
    cast(count(*) filter (
        where at_risk <> still_at_risk
        or least(tenure_days, churned, censored) < 0
        or (is_last and at_risk <> churned + censored)
    ) as double) as wrong_risk_sets
from steps
group by stratum
order by stratum
