with

risk_sets as (

    select * from {{ ref('int_retention__risk_sets') }}

),

-- Kaplan-Meier's product and Greenwood's sum; nobody is left from the tenure at which all end
running_terms as (

    select
        risk_sets.*,
        max(case when churned = at_risk then 1 else 0 end) over (
            partition by stratum, stratum_value
            order by tenure_days
            rows between unbounded preceding and current row
        ) as has_nobody_left,
        sum(
            case when churned < at_risk then ln(cast(at_risk - churned as double) / at_risk) else 0 end
        ) over (
            partition by stratum, stratum_value
            order by tenure_days
            rows between unbounded preceding and current row
        ) as log_survival,
        sum(
            case
                when churned < at_risk
                    then cast(churned as double) / (cast(at_risk as double) * (at_risk - churned))
                else 0
            end
        ) over (
            partition by stratum, stratum_value
            order by tenure_days
            rows between unbounded preceding and current row
        ) as greenwood_sum,
        sum(churned) over (
            partition by stratum, stratum_value
            order by tenure_days
            rows between unbounded preceding and current row
        ) as churned_so_far
    from risk_sets

),

curves as (

    select
        stratum,
        stratum_value,
        cast(tenure_days as integer) as tenure_days,
        cast(at_risk as bigint) as at_risk,
        cast(churned as bigint) as churned,
        cast(censored as bigint) as censored,
        case
            when has_nobody_left = 1 then cast(0 as double)
            when churned_so_far = 0 then cast(1 as double)
            else exp(log_survival)
        end as survival,
        case
            when has_nobody_left = 0 then exp(log_survival) * sqrt(greenwood_sum)
        end as std_error,
        case
            when has_nobody_left = 0 and churned_so_far > 0
                then 1.959963984540054 * sqrt(greenwood_sum) / abs(log_survival)
        end as log_log_margin,
        has_nobody_left,
        churned_so_far,
        log_survival
    from running_terms

),

-- the interval of log(-log(survival)), which stays between 0 and 1
curves_with_interval as (

    select
        stratum,
        stratum_value,
        tenure_days,
        at_risk,
        churned,
        censored,
        survival,
        std_error,
        case
            when has_nobody_left = 1 then null
            when churned_so_far = 0 then cast(1 as double)
            else exp(log_survival * exp(log_log_margin))
        end as ci_lower,
        case
            when has_nobody_left = 1 then null
            when churned_so_far = 0 then cast(1 as double)
            else exp(log_survival * exp(-log_log_margin))
        end as ci_upper
    from curves

)

select * from curves_with_interval
