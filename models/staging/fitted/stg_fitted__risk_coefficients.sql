with

coefficients as (

    select
        outcome,
        feature,
        category,
        coefficient,
        mean_value,
        mean_contribution
    from {{ source('fitted', 'risk_coefficients') }}

)

select * from coefficients
