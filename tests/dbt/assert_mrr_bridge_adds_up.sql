select *
from {{ ref('mrr_bridge_monthly') }}
where
    closing_mrr_amount
    <> opening_mrr_amount + new_mrr_amount + reactivation_mrr_amount + expansion_mrr_amount
    + resume_mrr_amount + contraction_mrr_amount + churn_mrr_amount + pause_mrr_amount
    + fx_mrr_amount + transfer_in_mrr_amount + transfer_out_mrr_amount
