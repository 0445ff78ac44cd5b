with

running as (

    select
        stratum,
        stratum_value,
        tenure_days,
        at_risk,
        sum(churned) over (
            partition by stratum, stratum_value
            order by tenure_days
        ) as churned_so_far,
        survival,
        ci_lower,
        ci_upper,
        max(tenure_days) over (partition by stratum) as longest,
        max(at_risk) over (partition by stratum, stratum_value) as lifetimes
    from marts.survival_curves

),

ranked as (

    select
        *,
        dense_rank() over (partition by stratum order by lifetimes desc, stratum_value) as size_rank,
        tenure_days // (1 + longest // 50) as step,
        floor(survival * 200) as level
    from running

)

-- a curve is a staircase, and a day is read from the last stair before it: of each step of the picture
-- the first stair of each half of a percent, or a fall within a step would be told too late; the end; and
-- what is told in words
select
    stratum,
    stratum_value,
    lifetimes,
    tenure_days,
    at_risk,
    churned_so_far,
    survival,
    ci_lower,
    ci_upper
from ranked
where size_rank <= 12
qualify
    row_number() over (
        partition by stratum, stratum_value, step, level
        order by tenure_days
    ) = 1
    or row_number() over (
        partition by stratum, stratum_value, tenure_days <= 365
        order by tenure_days desc
    ) = 1
order by stratum, size_rank, tenure_days
