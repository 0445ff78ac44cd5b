with

scores as (

    select * from {{ ref('stg_fitted__risk_scores') }}

),

gates as (

    select * from {{ ref('int_risk__gates') }}

),

gate_totals as (

    select min(case when is_passed then 1 else 0 end) = 1 as has_passed_gates
    from gates

),

scorecard as (

    select
        scores.part,
        scores.outcome,
        scores.predictor,
        scores.first_learned_date,
        scores.last_learned_date,
        scores.observation_date,
        scores.observations,
        scores.ended,
        scores.auc,
        scores.pr_auc,
        scores.log_loss,
        scores.base_rate_log_loss,
        scores.brier_score,
        scores.calibration_error,
        scores.lift_at_10_percent,
        scores.recall_at_10_percent,
        scores.shuffled_auc,
        case
            when
                scores.part = 'test' and scores.outcome = 'ended' and scores.predictor = 'model'
                then gate_totals.has_passed_gates
        end as has_passed_gates
    from scores
    cross join gate_totals

)

select * from scorecard
