{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('month_start', touched='int_viewing__touched_tier_months') }}",
) }}

{#- named where it is read: an engine that keeps what a name stands for would keep every day -#}
{%- set viewing_days = made_anew(
    ref('int_viewing__subscriber_days'),
    'viewing_date',
    touched='int_viewing__touched_tier_months',
    alias='viewing_days',
) -%}

with

paid_dates as (

    select * from {{ ref('int_subscriptions__paid_dates') }}

),

tier_months as (

    select
        viewing_days.subscriber_id,
        {{ month_start('viewing_days.viewing_date') }} as month_start,
        paid_dates.plan_tier,
        count(*) as viewing_days,
        cast(sum(viewing_days.seen_seconds) as bigint) as seen_seconds
    from {{ viewing_days }}
    left join paid_dates
        on
            viewing_days.subscriber_id = paid_dates.subscriber_id
            and viewing_days.viewing_date >= paid_dates.first_date
            and viewing_days.viewing_date < {{ open_end('paid_dates.end_date', 'date') }}
    group by
        viewing_days.subscriber_id,
        {{ month_start('viewing_days.viewing_date') }},
        paid_dates.plan_tier

)

select * from tier_months
