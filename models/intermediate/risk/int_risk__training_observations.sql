{{ config(materialized='view') }}

with

features as (

    select * from {{ ref('int_risk__features') }}

),

-- nobody's id: whom the model learns from makes no difference to it
training_observations as (

    select
        observation_date,
        outcome,
        {{ (risk_features().numbers + risk_features().texts) | join(',\n        ') }}
    from features
    where not is_current

)

select * from training_observations
