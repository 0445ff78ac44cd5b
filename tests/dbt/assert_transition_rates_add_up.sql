-- the rates from a segment add up to 1, and the steps into a segment to all who are in it
with

transitions as (

    select * from {{ ref('segment_transitions') }}

),

rates as (

    select
        month_start,
        segmentation,
        from_segment as segment,
        sum(transition_rate) as rate_total,
        sum(subscribers) - max(from_subscribers) as subscribers_left_over
    from transitions
    group by month_start, segmentation, from_segment

),

arrivals as (

    select
        month_start,
        to_segment as segment,
        sum(subscribers) as subscribers
    from transitions
    where segmentation = 'lifecycle_stage'
    group by month_start, to_segment

),

stages as (

    select
        month_start,
        lifecycle_stage as segment,
        count(*) as subscribers
    from {{ ref('segment_history') }}
    group by month_start, lifecycle_stage

)

select
    month_start,
    segmentation,
    segment,
    rate_total as figure
from rates
where
    abs(rate_total - 1) > 1e-9
    or subscribers_left_over <> 0
union all
select
    coalesce(arrivals.month_start, stages.month_start) as month_start,
    'lifecycle_stage' as segmentation,
    coalesce(arrivals.segment, stages.segment) as segment,
    coalesce(arrivals.subscribers, 0) - coalesce(stages.subscribers, 0) as figure
from arrivals
full outer join stages
    on
        arrivals.month_start = stages.month_start
        and arrivals.segment = stages.segment
where coalesce(arrivals.subscribers, 0) <> coalesce(stages.subscribers, 0)
