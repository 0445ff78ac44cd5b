{#- what is beyond the horizon is counted when it is let in: an increment sees it again then -#}
{%- set is_known -%}
started_at is not null
        and {{ exists_at_horizon('recorded_at') }}
{%- endset -%}

with

{% if is_increment() %}

-- what the last build counted need not be read again
session_months as (

    select
        month_start,
        sessions
    from {{ source('basis', 'session_months') }}
    union all
    -- a row that arrived is there as one of a new file, and as one that the horizon lets in
    select
        {{ month_start('started_at') }} as month_start,
        count(distinct session_id) as sessions
    from {{ source('arrivals', 'playback_sessions') }}
    where
        {{ is_known }}
    group by {{ month_start('started_at') }}

),

{% else %}

session_months as (

    select
        {{ month_start('started_at') }} as month_start,
        count(*) as sessions
    from {{ source('raw', 'playback_sessions') }}
    where
        {{ is_known }}
    group by {{ month_start('started_at') }}

),

{% endif %}

totals as (

    select
        month_start,
        cast(sum(sessions) as bigint) as sessions
    from session_months
    group by month_start

)

select * from totals
