-- the movements of a subscriber who pays nothing now add up to nothing; of one who pays they may
-- as well, where the amount is worth less than half a ten-thousandth in the reporting currency
select
    subscriber_id,
    status,
    mrr_amount
from {{ ref('dim_subscribers') }}
where
    mrr_amount < 0
    or (status not in ('paying', 'past_due') and mrr_amount > 0)
