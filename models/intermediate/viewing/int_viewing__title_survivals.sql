with

risk_sets as (

    select * from {{ ref('int_viewing__title_risk_sets') }}

),

-- Kaplan-Meier's product and Greenwood's sum; sums of decimals are exact, whatever their order
totals as (

    select
        title_id,
        is_early_viewer,
        max(case when churned > 0 and churned = at_risk then 1 else 0 end) = 1 as have_all_left,
        min(at_risk) as at_horizon,
        sum(
            cast(
                case when churned < at_risk then ln(cast(at_risk - churned as double) / at_risk) end
                as decimal(38, 24)
            )
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
        ) as greenwood_sum
    from risk_sets
    group by title_id, is_early_viewer

),

-- where nobody is left to watch before the horizon, and not all have left, what follows is unknown
survivals as (

    select
        title_id,
        is_early_viewer,
        case
            when have_all_left then cast(0 as double)
            when at_horizon > 0 then exp(cast(log_survival as double))
        end as survival,
        case
            when not have_all_left and at_horizon > 0
                then exp(cast(log_survival as double)) * sqrt(cast(greenwood_sum as double))
        end as std_error
    from totals

)

select * from survivals
