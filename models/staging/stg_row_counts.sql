{%- set event_times = {
    'subscribers': 'signed_up_at',
    'plans': none,
    'subscription_changes': 'changed_at',
    'invoices': 'issued_at',
    'invoice_lines': none,
    'payments': 'attempted_at',
    'refunds': 'refunded_at',
    'exchange_rates': first_instant('rate_date'),
    'playback_sessions': 'ended_at',
    'titles': none,
    'support_tickets': 'opened_at',
    'survey_responses': 'responded_at',
    'campaign_touches': 'sent_at',
    'marketing_spend': first_instant('spend_date'),
    'erasure_requests': 'requested_at',
} -%}

with

{% for table_name, event_at in event_times.items() if table_name != 'playback_sessions' %}
{{ table_name }} as (

    select
        '{{ table_name }}' as table_name,
        count(*) as raw_rows,
        count(*) filter (
            where
            {{ is_beyond_horizon('recorded_at', event_at) }}
        ) as beyond_as_of_rows
    from {{ source('raw', table_name) }}

),

{% endfor %}

-- apart: of nearly all files their least and greatest values say that there is nothing in them
playback_counts as (

    select
        count(*) as raw_rows,
        0 as beyond_as_of_rows
    from {{ source('raw', 'playback_sessions') }}
    union all
    select
        0 as raw_rows,
        count(*) as beyond_as_of_rows
    from {{ source('raw', 'playback_sessions') }}
    where {{ is_beyond_horizon('recorded_at') }}
    union all
    select
        0 as raw_rows,
        count(*) as beyond_as_of_rows
    from {{ source('raw', 'playback_sessions') }}
    where
        {{ is_beyond_horizon(event_times.playback_sessions) }}
        and {{ exists_at_horizon('recorded_at') }}

),

playback_sessions as (

    select
        'playback_sessions' as table_name,
        cast(sum(raw_rows) as bigint) as raw_rows,
        cast(sum(beyond_as_of_rows) as bigint) as beyond_as_of_rows
    from playback_counts

),

row_counts as (

    {% for table_name in event_times %}
    select * from {{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from row_counts
