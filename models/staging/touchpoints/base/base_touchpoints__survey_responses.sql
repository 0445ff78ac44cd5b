{%- set columns = {
    'response_id': 'string',
    'subscriber_id': 'string',
    'responded_at': 'timestamp',
    'kind': 'string',
    'score': 'bigint',
    'comment': 'string',
} -%}

with

{{ row_versions(source('raw', 'survey_responses'), columns, ['response_id'], 'responded_at') }},

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['response_id'],
                nullable=['comment'],
                event_at='versions.responded_at',
            ) }}
            when versions.kind not in ('nps', 'csat') then 'unknown_value'
            when subscribers.subscriber_id is null then 'missing_reference'
        end as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.responded_at') }} as current_subscriber_id
    from versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

rows_with_verdict as (

    select
        response_id,
        current_subscriber_id as subscriber_id,
        responded_at,
        kind,
        score,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        response_id as row_key,
        case
            when broken_rule is not null and coalesce(current_subscriber_id = subscriber_id, true)
                then {{ row_as_json(columns, personal=['comment']) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
