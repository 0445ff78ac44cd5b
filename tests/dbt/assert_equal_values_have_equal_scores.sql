-- however many share a value: a rank that breaks ties by chance would part them
with

segments as (

    select * from {{ ref('subscriber_segments') }}
    where recency_score is not null

),

scores as (

    select
        'recency' as measure,
        cast(days_since_last_view as decimal(18, 4)) as measured_value,
        recency_score as score
    from segments
    union all
    select
        'frequency' as measure,
        cast(viewing_days_28d as decimal(18, 4)) as measured_value,
        frequency_score as score
    from segments
    union all
    select
        'monetary' as measure,
        value_amount as measured_value,
        monetary_score as score
    from segments

)

select
    measure,
    measured_value,
    min(score) as lowest_score,
    max(score) as highest_score
from scores
group by measure, measured_value
having min(score) <> max(score)
