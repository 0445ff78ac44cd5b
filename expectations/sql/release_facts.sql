-- one row per fact table: how many of its rows cannot be
select
    'marts.fct_subscription_states' as fact,
    cast(count(*) filter (where valid_to <= valid_from or mrr_amount < 0) as double)
        as impossible_rows
from marts.fct_subscription_states
union all
select
    'marts.fct_subscriber_lifetimes' as fact,
    cast(count(*) filter (
        where ended_at < started_at
        or lifetime_number < 1
        or (ended_at is null) <> (end_type is null)
    ) as double) as impossible_rows
from marts.fct_subscriber_lifetimes
union all
select
    'marts.fct_churn_events' as fact,
    cast(count(*) filter (where mrr_amount < 0 or won_back_at < churned_at) as double)
        as impossible_rows
from marts.fct_churn_events
union all
select
    'marts.fct_mrr_movements' as fact,
    cast(count(*) filter (
        where category in ('new', 'reactivation', 'expansion', 'resume') and mrr_change_amount < 0
        or category in ('contraction', 'churn', 'pause') and mrr_change_amount > 0
    ) as double) as impossible_rows
from marts.fct_mrr_movements
union all
select
    'marts.viewing_daily' as fact,
    cast(count(*) filter (
        where least(plays, valid_plays, watched_seconds, titles) < 0
        or greatest(valid_plays, completed_plays) > plays
    ) as double) as impossible_rows
from marts.viewing_daily
