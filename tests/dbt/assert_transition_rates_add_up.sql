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
        segmentation,
        to_segment as segment,
        sum(subscribers) as subscribers
    from transitions
    group by month_start, segmentation, to_segment

),

held as (

    {%- for segmentation in segmentations() %}
    select
        month_start,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }} as segment,
        count(*) as subscribers
    from {{ ref('segment_history') }}
    group by month_start, {{ segmentation }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

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
    coalesce(arrivals.month_start, held.month_start) as month_start,
    coalesce(arrivals.segmentation, held.segmentation) as segmentation,
    coalesce(arrivals.segment, held.segment) as segment,
    coalesce(arrivals.subscribers, 0) - coalesce(held.subscribers, 0) as figure
from arrivals
full outer join held
    on
        arrivals.month_start = held.month_start
        and arrivals.segmentation = held.segmentation
        and arrivals.segment = held.segment
where coalesce(arrivals.subscribers, 0) <> coalesce(held.subscribers, 0)
