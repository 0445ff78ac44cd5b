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
        {%- for features in risk_features().values() %}
        {%- set outer_loop = loop %}
        {%- for feature in features %}
        {{ feature }}{{ "," if not (loop.last and outer_loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from features
    where not is_current

)

select * from training_observations
