select
    segmentation,
    segment,
    count(*) as subscribers
from (
    unpivot marts.subscriber_segments
    on
        lifecycle_stage,
        engagement_tier,
        rfm_segment,
        value_tier,
        payment_behaviour,
        taste,
        household,
        age_band
    into name segmentation value segment
)
group by segmentation, segment
qualify row_number() over (partition by segmentation order by count(*) desc, segment) <= 30
order by segmentation, subscribers desc, segment
