-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
with

{% if is_increment() %}

-- of whose id is another every session is an exception: no raw file is read for them
days_to_count as (

    select session_days.*
    from {{ ref('int_viewing__session_days') }} as session_days
    inner join {{ ref('int_viewing__touched_months') }} as touched_months
        on {{ month_start('session_days.viewing_date') }} = touched_months.month_start
    where
        {{ is_of_portion('touched_months.month_start') }}
        and {{ may_be_of_portion('session_days.started_at', 'session_days.ended_at') }}
    union all
    select session_days.*
    from {{ ref('int_viewing__session_days') }} as session_days
    inner join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on session_days.subscriber_id = replaced_ids.subscriber_id
    left join {{ ref('int_viewing__touched_months') }} as touched_months
        on {{ month_start('session_days.viewing_date') }} = touched_months.month_start
    where
        session_days.is_exception
        and touched_months.month_start is null
        and {{ is_of_portion(month_start('session_days.viewing_date')) }}

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
