-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_subscriptions__paid_dates') }}
with

months as (

    select * from {{ ref('int_calendar__months') }}

),

{% if is_increment() %}

touched_months as (

    select * from {{ ref('int_viewing__touched_months') }}

),

changed_spans as (

    {{ changed_spans(
        ref('int_subscriptions__paid_dates'),
        source('basis', 'paid_dates'),
        alike=['subscriber_id', 'plan_tier', 'first_date'],
    ) }}

),

touched_tier_months as (

    select
        month_start,
        started_at,
        ended_at
    from touched_months
    union distinct
    select
        months.month_start,
        months.started_at,
        months.ended_at
    from months
    inner join changed_spans
        on
            months.month_start < changed_spans.end_date
            and months.next_month_start > changed_spans.first_date

)

{% else %}

-- all are built anew, and nobody asks
touched_tier_months as (

    select
        month_start,
        started_at,
        ended_at
    from months
    where false

)

{% endif %}

select * from touched_tier_months
