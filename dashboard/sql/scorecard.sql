select
    part,
    outcome,
    predictor,
    first_learned_date,
    last_learned_date,
    observation_date,
    observations,
    ended,
    auc,
    pr_auc,
    log_loss,
    base_rate_log_loss,
    brier_score,
    calibration_error,
    lift_at_10_percent,
    recall_at_10_percent,
    shuffled_auc,
    has_passed_gates
from marts.churn_risk_scorecard
order by part, outcome, predictor
