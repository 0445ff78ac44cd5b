with

fits as (

    select
        first_observation_date,
        last_observation_date,
        observations,
        ended,
        inverse_penalty,
        reason
    from {{ source('fitted', 'risk_fits') }}

)

select * from fits
