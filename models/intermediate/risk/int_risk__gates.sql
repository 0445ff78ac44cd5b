with

scores as (

    select * from {{ ref('stg_fitted__risk_scores') }}
    where part = 'test' and outcome = 'ended' and predictor = 'model'

),

gates as (

    select * from {{ ref('risk_gates') }}

),

measured_values as (

    select
        'log_loss_ratio' as gate,
        log_loss / nullif(base_rate_log_loss, 0) as measured_value
    from scores
    union all
    select
        'calibration_error' as gate,
        calibration_error as measured_value
    from scores
    union all
    select
        'shuffled_auc_distance' as gate,
        abs(shuffled_auc - 0.5) as measured_value
    from scores
    union all
    select
        'auc' as gate,
        auc as measured_value
    from scores

),

judged_gates as (

    select
        gates.gate,
        gates.meaning,
        gates.limit_value,
        measured_values.measured_value,
        coalesce(measured_values.measured_value < gates.limit_value, false) as is_passed
    from gates
    inner join measured_values
        on gates.gate = measured_values.gate

)

select * from judged_gates
