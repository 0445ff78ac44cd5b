with

probabilities as (

    select * from {{ ref('int_risk__probabilities') }}

),

verdicts as (

    select * from {{ ref('int_risk__verdicts') }}

),

passed_probabilities as (

    select probabilities.*
    from probabilities
    cross join verdicts
    where verdicts.withheld_because is null

),

-- equal probabilities are in one tenth
ranked_probabilities as (

    select
        passed_probabilities.*,
        cast(ceil(10 * cume_dist() over (order by end_probability desc)) as integer) as risk_decile
    from passed_probabilities

)

select * from ranked_probabilities
