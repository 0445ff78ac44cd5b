with

recencies as (

    select * from {{ ref('int_viewing__month_end_recencies') }}

),

recencies_by_stratum as (

    {{ plan_tier_strata('recencies') }}

),

recency_months as (

    select
        month_start,
        stratum,
        stratum_value,
        count(*) as paying_subscribers,
        count(last_viewing_date) as seen_subscribers,
        cast(sum(days_since_last_view) as double) / nullif(count(last_viewing_date), 0)
            as mean_days_since_last_view,
        {{ percentile('days_since_last_view', 0.5) }}
            as median_days_since_last_view
    from recencies_by_stratum
    group by month_start, stratum, stratum_value

)

select * from recency_months
