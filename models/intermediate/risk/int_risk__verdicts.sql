with

fits as (

    select * from {{ ref('stg_fitted__risk_fits') }}

),

gates as (

    select * from {{ ref('int_risk__gates') }}

),

fit_totals as (

    select
        count(*) as fits,
        max(reason) as reason
    from fits

),

gate_totals as (

    select
        count(*) as gates,
        min(case when not is_passed then gate end) as failed_gate
    from gates

),

-- a probability that was not tried is as good as one that failed
verdicts as (

    select
        case
            when fit_totals.fits = 0 then 'not fitted yet'
            when fit_totals.reason is not null then fit_totals.reason
            when gate_totals.gates = 0 then 'not tested'
            when gate_totals.failed_gate is not null
                then 'the model failed its test: ' || gate_totals.failed_gate
        end as withheld_because
    from fit_totals
    cross join gate_totals

)

select * from verdicts
