{{ config(database='forgotten') }}

{%- set columns = {
    'subscriber_id': 'string',
    'requested_at': 'timestamp',
} -%}

with

{{ row_versions(source('raw', 'erasure_requests'), columns, ['subscriber_id'], 'requested_at') }},

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(columns, ['subscriber_id'], event_at='versions.requested_at') }}
            when subscribers.subscriber_id is null then 'missing_reference'
        end as broken_rule
    from versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id

),

rows_with_verdict as (

    select
        subscriber_id,
        requested_at,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        {{ told_text('subscriber_id') }} as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
