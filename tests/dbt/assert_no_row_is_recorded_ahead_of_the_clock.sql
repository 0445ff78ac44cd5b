{#
    A warning: the machine's clock may be the one that is wrong. A day is let pass, since a feed may write its
    local time as UTC.
#}
{{ config(severity='warn', meta={'fault': 'input'}) }}

{%- set latest = run_started_at + modules.datetime.timedelta(days=1) -%}

with

-- the tables whose newest row sets the horizon, where nobody names it
arrivals as (

    {%- for table_name in ['subscription_changes', 'payments', 'playback_sessions'] %}
    select
        '{{ table_name }}' as table_name,
        recorded_at
    from {{ source('raw', table_name) }}
    where recorded_at > timestamp '{{ latest.strftime("%Y-%m-%d %H:%M:%S") }}'
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

arrivals_ahead as (

    select
        table_name,
        count(*) as rows_ahead,
        max(recorded_at) as newest_at
    from arrivals
    where recorded_at < {{ as_of() }}
    group by table_name

)

select
    table_name,
    rows_ahead,
    newest_at,
    table_name || ': ' || cast(rows_ahead as string)
    || ' of its rows are recorded more than a day after the clock of this machine, the last at '
    || cast(newest_at as string)
    {%- if not var('as_of') %}
    || ', and everything is built as of then; until the source has mended it,'
    || ' name the horizon with --as-of, and what is recorded later does not exist'
    {%- endif %} as message
from arrivals_ahead
