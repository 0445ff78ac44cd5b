with

strata as (

    select * from {{ ref('int_clv__strata') }}

),

fits as (

    select * from {{ ref('stg_fitted__survival_fits') }}

),

judged_strata as (

    select
        strata.*,
        coalesce(fits.due_lifetimes, 0) as due_lifetimes,
        coalesce(fits.churned_lifetimes, 0) as churned_lifetimes,
        case
            when fits.stratum_id is null then 'not fitted yet'
            when fits.alpha is null then fits.reason
            when fits.churned_lifetimes < {{ var('clv_minimum_churned') }}
                then
                    'only ' || cast(fits.churned_lifetimes as string) || ' of '
                    || cast(fits.due_lifetimes as string) || ' lifetimes churned'
        end as fallback_reason
    from strata
    left join fits
        on strata.stratum_id = fits.stratum_id

),

-- the nearest of a stratum, its parent and the parent's parent whose own counts say enough
chosen_strata as (

    select
        own_strata.*,
        case
            when own_strata.fallback_reason is null then own_strata.stratum_id
            when parents.fallback_reason is null then parents.stratum_id
            when grandparents.fallback_reason is null then grandparents.stratum_id
        end as fitted_stratum_id
    from judged_strata as own_strata
    left join judged_strata as parents
        on own_strata.parent_stratum_id = parents.stratum_id
    left join judged_strata as grandparents
        on parents.parent_stratum_id = grandparents.stratum_id

),

stratum_fits as (

    select
        chosen_strata.stratum_id,
        chosen_strata.plan_tier,
        chosen_strata.billing_period_unit,
        chosen_strata.billing_period_count,
        chosen_strata.lifetime_band,
        chosen_strata.period_years,
        chosen_strata.horizon_periods,
        chosen_strata.lifetimes,
        chosen_strata.due_lifetimes,
        chosen_strata.churned_lifetimes,
        chosen_strata.fitted_stratum_id,
        chosen_strata.fallback_reason,
        fits.model,
        fits.alpha,
        fits.beta,
        fits.shape,
        fits.shifted_beta_geometric_log_likelihood,
        fits.beta_discrete_weibull_log_likelihood,
        fits.likelihood_ratio_p_value
    from chosen_strata
    left join fits
        on chosen_strata.fitted_stratum_id = fits.stratum_id

)

select * from stratum_fits
