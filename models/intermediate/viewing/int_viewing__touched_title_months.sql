-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_viewing__title_windows') }}
with

{% if is_increment() %}

changed_spans as (

    {{ changed_spans(
        ref('int_viewing__title_windows'),
        source('basis', 'title_windows'),
        alike=['subscriber_id', 'first_date'],
    ) }}

),

{% endif %}

touched_title_months as (

    {{ months_touched_by('changed_spans') }}

)

select * from touched_title_months
