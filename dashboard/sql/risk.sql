select
    risk_decile,
    count(*) as subscribers,
    sum(voluntary_probability) as voluntary,
    sum(involuntary_probability) as involuntary,
    sum(other_probability) as other,
    sum(mrr_amount) as mrr_amount,
    sum(expected_mrr_loss_amount) as expected_mrr_loss_amount,
    min(withheld_because) as withheld_because
from marts.churn_risk
group by risk_decile
order by risk_decile
