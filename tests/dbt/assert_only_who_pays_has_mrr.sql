-- the movements of a subscriber who pays nothing now add up to nothing
select
    subscriber_id,
    status,
    mrr_amount
from {{ ref('dim_subscribers') }}
where (status in ('paying', 'past_due')) <> (mrr_amount > 0)
