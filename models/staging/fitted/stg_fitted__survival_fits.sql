with

fits as (

    select
        stratum_id,
        due_lifetimes,
        churned_lifetimes,
        last_due_period,
        model,
        alpha,
        beta,
        shape,
        shifted_beta_geometric_log_likelihood,
        beta_discrete_weibull_log_likelihood,
        likelihood_ratio_p_value,
        reason
    from {{ source('fitted', 'survival_fits') }}

)

select * from fits
