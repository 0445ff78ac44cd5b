with

curves as (

    select * from {{ ref('stg_fitted__survival_curves') }}

),

strata as (

    select * from {{ ref('int_clv__strata') }}

),

discounted_curves as (

    select
        curves.stratum_id,
        curves.period,
        curves.survival,
        strata.horizon_periods,
        curves.survival
        * power(
            1 + cast({{ var('clv_annual_discount_rate') }} as double),
            -(curves.period * strata.period_years)
        ) as discounted_survival
    from curves
    inner join strata
        on curves.stratum_id = strata.stratum_id

),

-- sums of decimals are exact, whatever their order
running_sums as (

    select
        stratum_id,
        period,
        survival,
        discounted_survival,
        period + horizon_periods as last_period,
        sum(cast(discounted_survival as decimal(38, 24))) over (
            partition by stratum_id
            order by period
            rows between unbounded preceding and current row
        ) as discounted_periods
    from discounted_curves

),

remaining_periods as (

    select
        running_sums.stratum_id,
        running_sums.period as renewals,
        running_sums.survival,
        -- rounded to where engines agree
        round(
            cast(last_sums.discounted_periods - running_sums.discounted_periods as double)
            / nullif(running_sums.discounted_survival, 0),
            12
        ) as expected_remaining_periods,
        round(
            cast(next_sums.discounted_periods - running_sums.discounted_periods as double)
            / nullif(running_sums.discounted_survival, 0),
            12
        ) as expected_periods_and_next
    from running_sums
    inner join running_sums as last_sums
        on
            running_sums.stratum_id = last_sums.stratum_id
            and running_sums.last_period = last_sums.period
    left join running_sums as next_sums
        on
            running_sums.stratum_id = next_sums.stratum_id
            and running_sums.last_period + 1 = next_sums.period

)

select * from remaining_periods
