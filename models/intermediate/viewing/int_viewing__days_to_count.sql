-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
with

{% if is_increment() %}

days_to_count as (

    {{ days_to_make_anew(
        are_within=is_of_portion('touched_months.month_start')
        ~ ' and ' ~ may_be_of_portion('session_days.started_at', 'session_days.ended_at'),
        are_of_replaced_ids=is_of_portion(month_start('session_days.viewing_date')),
    ) }}

)

{% else %}

days_to_count as (

    select * from {{ ref('int_viewing__session_days') }}
    where
        {{ is_of_portion(month_start('viewing_date')) }}
        and {{ may_be_of_portion('started_at', 'ended_at') }}

)

{% endif %}

select * from days_to_count
