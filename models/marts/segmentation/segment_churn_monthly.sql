{%- set z = '1.959963984540054' -%}

with

history as (

    select * from {{ ref('segment_history') }}
    where has_churned_next_month is not null

),

counts as (

    {%- for segmentation in segmentations() %}
    select
        month_start,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }} as segment,
        count(*) as subscribers,
        sum(case when has_churned_next_month then 1 else 0 end) as churned_next_month
    from history
    group by month_start, {{ segmentation }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

rates as (

    select
        month_start,
        segmentation,
        segment,
        subscribers,
        churned_next_month,
        cast(subscribers as double) as n,
        cast(churned_next_month as double) / subscribers as churn_rate,
        {{ z }} * {{ z }} as z_squared
    from counts

),

-- the interval of Wilson (1927): unlike the normal one it stays within 0 and 1, and is not of no
-- width where nobody or everybody left
intervals as (

    select
        month_start,
        segmentation,
        segment,
        cast(subscribers as bigint) as subscribers,
        cast(churned_next_month as bigint) as churned_next_month,
        churn_rate,
        greatest(
            (
                churn_rate + z_squared / (2 * n)
                - {{ z }} * sqrt(churn_rate * (1 - churn_rate) / n + z_squared / (4 * n * n))
            ) / (1 + z_squared / n), 0
        ) as ci_lower,
        least(
            (
                churn_rate + z_squared / (2 * n)
                + {{ z }} * sqrt(churn_rate * (1 - churn_rate) / n + z_squared / (4 * n * n))
            ) / (1 + z_squared / n), 1
        ) as ci_upper
    from rates

)

select * from intervals
