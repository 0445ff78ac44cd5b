with

states as (

    select
        fct_subscription_states.*,
        lead(valid_from) over (partition by subscription_id order by valid_from) as next_valid_from
    from {{ ref('fct_subscription_states') }} as fct_subscription_states

)

select *
from states
where
    valid_to <= valid_from
    or coalesce(valid_to <> next_valid_from, (valid_to is null) <> (next_valid_from is null))
