with

lifetime_renewals as (

    select * from {{ ref('int_clv__lifetime_renewals') }}
    where not has_ended

),

current_prices as (

    select * from {{ ref('int_clv__current_prices') }}

),

stratum_fits as (

    select * from {{ ref('int_clv__stratum_fits') }}

),

remaining_periods as (

    select * from {{ ref('int_clv__remaining_periods') }}

),

periods as (

    select
        lifetime_renewals.subscriber_id,
        lifetime_renewals.stratum_id,
        stratum_fits.fitted_stratum_id,
        lifetime_renewals.renewals_so_far as renewals,
        current_prices.monthly_price_amount,
        stratum_fits.period_years,
        stratum_fits.horizon_periods,
        remaining_periods.expected_remaining_periods,
        remaining_periods.expected_periods_and_next,
        -- the part of the period under way that is over: the next renewal is so much nearer
        least(
            greatest(
                cast(current_prices.tenure_days as double) / 365.25
                - lifetime_renewals.renewals_so_far * stratum_fits.period_years,
                0
            ),
            stratum_fits.period_years
        ) as elapsed_years
    from lifetime_renewals
    inner join current_prices
        on lifetime_renewals.subscriber_id = current_prices.subscriber_id
    inner join stratum_fits
        on lifetime_renewals.stratum_id = stratum_fits.stratum_id
    left join remaining_periods
        on
            stratum_fits.fitted_stratum_id = remaining_periods.stratum_id
            and lifetime_renewals.renewals_so_far = remaining_periods.renewals

),

-- the horizon counts from now, not from the last renewal: half a minute keeps rounding off its end
periods_within_horizon as (

    select
        subscriber_id,
        stratum_id,
        fitted_stratum_id,
        renewals,
        monthly_price_amount,
        period_years,
        elapsed_years,
        case
            when
                (horizon_periods + 1) * period_years - elapsed_years
                < {{ var('clv_horizon_months') }} / cast(12 as double) - 0.000001
                then expected_periods_and_next
            else expected_remaining_periods
        end as expected_remaining_periods
    from periods

),

current_values as (

    select
        subscriber_id,
        stratum_id,
        fitted_stratum_id,
        renewals,
        monthly_price_amount,
        expected_remaining_periods,
        cast(
            round(
                cast({{ var('clv_contribution_margin') }} as double)
                * cast(monthly_price_amount as double) * 12 * period_years
                * expected_remaining_periods
                * power(1 + cast({{ var('clv_annual_discount_rate') }} as double), elapsed_years),
                4
            ) as decimal(18, 4)
        ) as expected_remaining_value_amount
    from periods_within_horizon

)

select * from current_values
