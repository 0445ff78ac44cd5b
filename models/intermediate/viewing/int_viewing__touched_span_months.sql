-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_viewing__play_spans') }}
with

months as (

    select * from {{ ref('int_calendar__months') }}

),

{% if is_increment() %}

touched_months as (

    select * from {{ ref('int_viewing__touched_months') }}

),

current_spans as (

    select * from {{ ref('int_viewing__play_spans') }}

),

known_spans as (

    select * from {{ source('basis', 'play_spans') }}

),

changed_spans as (

    (select * from current_spans except select * from known_spans)
    union all
    (select * from known_spans except select * from current_spans)

),

changed_dates as (

    select changed_spans.viewing_date
    from changed_spans
    left join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on changed_spans.subscriber_id = replaced_ids.subscriber_id
    where replaced_ids.subscriber_id is null
    group by changed_spans.viewing_date

),

touched_span_months as (

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
    inner join changed_dates
        on {{ month_start('changed_dates.viewing_date') }} = months.month_start

)

{% else %}

-- all are built anew, and nobody asks
touched_span_months as (

    select
        month_start,
        started_at,
        ended_at
    from months
    where false

)

{% endif %}

select * from touched_span_months
