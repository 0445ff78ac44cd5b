with

feature_values as (

    select * from {{ ref('int_risk__feature_values') }}

),

coefficients as (

    select * from {{ ref('stg_fitted__risk_coefficients') }}
    where feature <> 'intercept'

),

-- decimals add up to the same whatever the order; a category never seen before adds nothing
contributions as (

    select
        feature_values.subscriber_id,
        coefficients.outcome,
        feature_values.feature,
        feature_values.category,
        case
            when feature_values.category <> '(number)' then 'category'
            when feature_values.feature_value > coefficients.mean_value then 'more'
            else 'less'
        end as direction,
        cast(coefficients.coefficient * feature_values.feature_value as decimal(18, 9))
            as contribution,
        cast(
            coefficients.coefficient * feature_values.feature_value
            - coefficients.mean_contribution as decimal(18, 9)
        ) as contribution_above_mean
    from feature_values
    inner join coefficients
        on
            feature_values.feature = coefficients.feature
            and feature_values.category = coefficients.category

)

select * from contributions
