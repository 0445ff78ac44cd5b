with

lifetime_strata as (

    select * from {{ ref('int_clv__lifetime_strata') }}

),

strata as (

    select
        stratum_id,
        parent_stratum_id,
        plan_tier,
        billing_period_unit,
        billing_period_count,
        lifetime_band,
        case billing_period_unit
            when 'day' then 365
            when 'week' then 52
            when 'month' then 12
            else 1
        end as units_a_year,
        count(*) as lifetimes,
        max(renewals_so_far) as most_renewals
    from lifetime_strata
    group by
        stratum_id,
        parent_stratum_id,
        plan_tier,
        billing_period_unit,
        billing_period_count,
        lifetime_band

),

strata_with_horizon as (

    select
        strata.*,
        cast(billing_period_count as double) / units_a_year as period_years,
        cast(
            floor(
                cast({{ var('clv_horizon_months') }} * units_a_year as double)
                -- an absurd count, which the contract lets through, would overflow as an integer
                / (12 * cast(billing_period_count as double))
            ) as bigint
        ) as horizon_periods
    from strata

),

strata_with_last_period as (

    select
        strata_with_horizon.*,
        -- who is near the next renewal may have one more of them within the horizon
        most_renewals + horizon_periods + 1 as last_period
    from strata_with_horizon

)

select * from strata_with_last_period
