{%- set columns = {
    'ticket_id': 'string',
    'subscriber_id': 'string',
    'opened_at': 'timestamp',
    'resolved_at': 'timestamp',
    'topic': 'string',
    'csat_score': 'bigint',
} -%}

with

{{ row_versions(source('raw', 'support_tickets'), columns, ['ticket_id'], 'opened_at') }},

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
                ['ticket_id'],
                nullable=['resolved_at', 'csat_score'],
                event_at='versions.opened_at',
            ) }}
            when subscribers.subscriber_id is null then 'missing_reference'
            when versions.resolved_at < versions.opened_at then 'ends_before_start'
        end as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.opened_at') }} as current_subscriber_id
    from versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

rows_with_verdict as (

    select
        ticket_id,
        current_subscriber_id as subscriber_id,
        opened_at,
        resolved_at,
        {{ known_or_other('topic', [
            'billing', 'playback', 'account', 'content', 'other',
        ]) }} as topic,
        csat_score,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        ticket_id as row_key,
        case
            when broken_rule is not null and coalesce(current_subscriber_id = subscriber_id, true)
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
