with

segments as (

    select * from {{ ref('int_segmentation__segments') }}

),

next_months as (

    select
        cast(month_start - interval 1 month as date) as month_start,
        is_complete
    from {{ ref('int_calendar__months') }}

),

-- whether somebody left is known once the month in which they could have is over
history as (

    select
        segments.month_start,
        segments.subscriber_id,
        {%- for segmentation in segmentations() %}
        segments.{{ segmentation }},
        {%- endfor %}
        segments.recency_score,
        segments.frequency_score,
        segments.monetary_score,
        segments.closing_status in ('paying', 'paused') as is_in_lifetime,
        case
            when segments.closing_status in ('paying', 'paused') and next_months.is_complete
                then segments.is_lost_next_month
        end as has_churned_next_month,
        segments.is_complete
    from segments
    left join next_months
        on segments.month_start = next_months.month_start

)

select * from history
