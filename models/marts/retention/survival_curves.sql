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
        -- sums of decimals are exact in any order: where nobody churns the curve stays level
        sum(
            cast(
                case when churned < at_risk then ln(cast(at_risk - churned as double) / at_risk) end
                as decimal(38, 24)
            )
        ) over (
            partition by stratum, stratum_value
            order by tenure_days
            rows between unbounded preceding and current row
        ) as log_survival,
        sum(
            cast(
                case
                    when churned < at_risk
                        then
                            cast(churned as double)
                            / (cast(at_risk as double) * (at_risk - churned))
                end as decimal(38, 24)
            )
        ) over (
            partition by stratum, stratum_value
            order by tenure_days
            rows between unbounded preceding and current row
        ) as greenwood_sum
    from risk_sets

),

precise_terms as (

    select
        stratum,
        stratum_value,
        tenure_days,
        at_risk,
        churned,
        censored,
        case when has_nobody_left = 0 then cast(log_survival as double) end as log_survival,
        case when has_nobody_left = 0 then sqrt(cast(greenwood_sum as double)) end as relative_error
    from running_terms

),

-- the interval is one of log(-log(survival)), which keeps it between 0 and 1
curves as (

    select
        stratum,
        stratum_value,
        cast(tenure_days as integer) as tenure_days,
        cast(at_risk as bigint) as at_risk,
        cast(churned as bigint) as churned,
        cast(censored as bigint) as censored,
        coalesce(exp(log_survival), 0) as survival,
        exp(log_survival) * relative_error as std_error,
        case
            when log_survival = 0 then cast(1 as double)
            else exp(log_survival * exp(1.959963984540054 * relative_error / abs(log_survival)))
        end as ci_lower,
        case
            when log_survival = 0 then cast(1 as double)
            else exp(log_survival * exp(-1.959963984540054 * relative_error / abs(log_survival)))
        end as ci_upper
    from precise_terms

)

select * from curves
