with

tier_months as (

    select * from {{ ref('int_viewing__tier_months') }}

),

paying_months as (

    select * from {{ ref('int_lifecycle__paying_tier_months') }}

),

{%- for relation in ['tier_months', 'paying_months'] %}

{{ relation }}_by_stratum as (

    {{ plan_tier_strata(relation) }}

),
{%- endfor %}

measures as (

    select
        month_start,
        stratum,
        stratum_value,
        sum(viewing_days) as active_subscriber_days,
        count(distinct subscriber_id) as active_subscribers,
        sum(case when plan_tier is not null then seen_seconds else 0 end)
            as paid_watched_seconds,
        0 as paying_microseconds
    from tier_months_by_stratum
    group by month_start, stratum, stratum_value
    union all
    select
        month_start,
        stratum,
        stratum_value,
        0 as active_subscriber_days,
        0 as active_subscribers,
        0 as paid_watched_seconds,
        sum(paying_microseconds) as paying_microseconds
    from paying_months_by_stratum
    group by month_start, stratum, stratum_value

),

engagement_months as (

    select
        month_start,
        stratum,
        stratum_value,
        cast(sum(active_subscriber_days) as bigint) as active_subscriber_days,
        cast(sum(active_subscribers) as bigint) as active_subscribers,
        cast(sum(paid_watched_seconds) as bigint) as paid_watched_seconds,
        cast(sum(paying_microseconds) as decimal(38, 0)) as paying_microseconds
    from measures
    group by month_start, stratum, stratum_value

)

select * from engagement_months
