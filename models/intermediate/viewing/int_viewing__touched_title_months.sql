-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_viewing__title_windows') }}
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
        ref('int_viewing__title_windows'),
        source('basis', 'title_windows'),
        alike=['subscriber_id', 'first_date'],
    ) }}

),

touched_title_months as (

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
touched_title_months as (

    select
        month_start,
        started_at,
        ended_at
    from months
    where false

)

{% endif %}

select * from touched_title_months
