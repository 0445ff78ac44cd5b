with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

value_movements as (

    select * from {{ ref('int_clv__value_movements') }}

),

current_values as (

    select * from {{ ref('int_clv__current_values') }}

),

historic_values as (

    select
        subscriber_id,
        sum(collected_amount) as collected_amount,
        sum(tax_amount) as tax_amount,
        sum(refunded_amount) as refunded_amount,
        sum(fee_amount) as fee_amount,
        sum(value_amount) as value_amount
    from value_movements
    group by subscriber_id

),

-- whom nothing binds is expected to bring nothing: winning back is no value of what is held
subscriber_values as (

    select
        subscribers.subscriber_id,
        current_values.stratum_id,
        current_values.fitted_stratum_id,
        current_values.renewals,
        cast(current_values.monthly_price_amount as decimal(18, 4)) as monthly_price_amount,
        case
            when current_values.subscriber_id is null then cast(0 as double)
            else current_values.expected_remaining_periods
        end as expected_remaining_periods,
        {%- for name in ['collected', 'tax', 'refunded', 'fee'] %}
        cast(coalesce(historic_values.{{ name }}_amount, 0) as decimal(18, 4)) as {{ name }}_amount,
        {%- endfor %}
        cast(coalesce(historic_values.value_amount, 0) as decimal(18, 4)) as historic_value_amount,
        case
            when current_values.subscriber_id is null then cast(0 as decimal(18, 4))
            else current_values.expected_remaining_value_amount
        end as expected_remaining_value_amount
    from subscribers
    left join historic_values
        on subscribers.subscriber_id = historic_values.subscriber_id
    left join current_values
        on subscribers.subscriber_id = current_values.subscriber_id

),

lifetime_values as (

    select
        subscriber_values.*,
        cast(historic_value_amount + expected_remaining_value_amount as decimal(18, 4))
            as clv_amount,
        cast({{ var('clv_horizon_months') }} as integer) as horizon_months,
        cast({{ var('clv_contribution_margin') }} as double) as contribution_margin_rate,
        cast({{ var('clv_annual_discount_rate') }} as double) as annual_discount_rate
    from subscriber_values

)

select * from lifetime_values
