select
    month_start,
    country_code,
    acquisition_channel,
    sum(transfer_in_mrr_amount + transfer_out_mrr_amount) as transferred_mrr_amount
from {{ ref('mrr_bridge_monthly') }}
group by month_start, country_code, acquisition_channel
having sum(transfer_in_mrr_amount + transfer_out_mrr_amount) <> 0
