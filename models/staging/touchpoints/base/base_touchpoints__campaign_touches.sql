{%- set columns = {
    'touch_id': 'string',
    'subscriber_id': 'string',
    'campaign_id': 'string',
    'channel': 'string',
    'purpose': 'string',
    'sent_at': 'timestamp',
    'opened_at': 'timestamp',
    'clicked_at': 'timestamp',
    'offer_code': 'string',
} -%}

with

{{ row_versions(source('raw', 'campaign_touches'), columns, ['touch_id'], 'sent_at') }},

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
                ['touch_id'],
                nullable=['opened_at', 'clicked_at', 'offer_code'],
                event_at='versions.sent_at',
            ) }}
            when subscribers.subscriber_id is null then 'missing_reference'
        end as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.sent_at') }} as current_subscriber_id
    from versions
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

rows_with_verdict as (

    select
        touch_id,
        current_subscriber_id as subscriber_id,
        campaign_id,
        {{ known_or_other('channel', ['email', 'push', 'in_app', 'sms']) }} as channel,
        {{ known_or_other('purpose', [
            'onboarding', 'engagement', 'save', 'win_back', 'upsell', 'loyalty',
        ]) }} as purpose,
        sent_at,
        opened_at,
        clicked_at,
        offer_code,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        touch_id as row_key,
        case
            when broken_rule is not null and coalesce(current_subscriber_id = subscriber_id, true)
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
