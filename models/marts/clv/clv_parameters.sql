with

stratum_fits as (

    select * from {{ ref('int_clv__stratum_fits') }}

),

parameters as (

    select
        stratum_id,
        plan_tier,
        billing_period_unit,
        cast(billing_period_count as bigint) as billing_period_count,
        lifetime_band,
        cast(lifetimes as bigint) as lifetimes,
        cast(due_lifetimes as bigint) as due_lifetimes,
        cast(churned_lifetimes as bigint) as churned_lifetimes,
        fitted_stratum_id,
        fitted_stratum_id <> stratum_id as is_fallback,
        fallback_reason,
        model,
        alpha,
        beta,
        shape,
        case
            when model = 'beta_discrete_weibull' then beta_discrete_weibull_log_likelihood
            else shifted_beta_geometric_log_likelihood
        end as log_likelihood,
        shifted_beta_geometric_log_likelihood,
        beta_discrete_weibull_log_likelihood,
        likelihood_ratio_p_value
    from stratum_fits

)

select * from parameters
