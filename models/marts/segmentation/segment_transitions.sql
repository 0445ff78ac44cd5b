with

segments as (

    select * from {{ ref('int_segmentation__segments') }}

),

-- everybody has a row in each month from the first on, so the row before is the month before
steps as (

    select
        month_start,
        {%- for segmentation in segmentations() %}
        lag({{ segmentation }}) over (partition by subscriber_id order by month_start)
            as from_{{ segmentation }},
        {{ segmentation }} as to_{{ segmentation }},
        {%- endfor %}
        is_complete
    from segments

),

counts as (

    {%- for segmentation in segmentations() %}
    select
        month_start,
        '{{ segmentation }}' as segmentation,
        coalesce(from_{{ segmentation }}, 'newcomer') as from_segment,
        to_{{ segmentation }} as to_segment,
        is_complete,
        count(*) as subscribers
    from steps
    group by month_start, from_{{ segmentation }}, to_{{ segmentation }}, is_complete
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

counts_with_total as (

    select
        counts.*,
        sum(subscribers) over (
            partition by month_start, segmentation, from_segment
        ) as from_subscribers
    from counts

),

transitions as (

    select
        month_start,
        segmentation,
        from_segment,
        to_segment,
        cast(subscribers as bigint) as subscribers,
        cast(from_subscribers as bigint) as from_subscribers,
        -- a month that is not over may yet bring anybody anywhere
        case when is_complete then cast(subscribers as double) / from_subscribers end
            as transition_rate,
        is_complete
    from counts_with_total

)

select * from transitions
