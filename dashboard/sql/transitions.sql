select
    month_start,
    segmentation,
    from_segment,
    to_segment,
    subscribers,
    from_subscribers
from marts.segment_transitions
where month_start >= getvariable('recent_month')
qualify row_number() over (
    partition by month_start, segmentation
    order by subscribers desc, from_segment, to_segment
) <= 150
order by month_start, segmentation, from_segment, to_segment
