-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_viewing__play_spans') }}
with

{% if is_increment() %}

current_spans as (

    select * from {{ ref('int_viewing__play_spans') }}

),

known_spans as (

    select * from {{ source('basis', 'play_spans') }}

),

changed_play_spans as (

    (select * from current_spans except select * from known_spans)
    union all
    (select * from known_spans except select * from current_spans)

),

changed_spans as (

    select distinct
        changed_play_spans.viewing_date as first_date,
        {{ next_day('changed_play_spans.viewing_date') }} as end_date
    from changed_play_spans
    left join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on changed_play_spans.subscriber_id = replaced_ids.subscriber_id
    where replaced_ids.subscriber_id is null

),

{% endif %}

touched_span_months as (

    {{ months_touched_by('changed_spans') }}

)

select * from touched_span_months
