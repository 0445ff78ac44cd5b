{%- set columns = {
    'change_id': 'string',
    'subscription_id': 'string',
    'subscriber_id': 'string',
    'changed_at': 'timestamp',
    'status': 'string',
    'plan_id': 'string',
    'billing_period_unit': 'string',
    'billing_period_count': 'bigint',
    'amount_minor': 'bigint',
    'currency': 'string',
    'cancel_requested_at': 'timestamp',
    'end_reason': 'string',
    'cancel_feedback': 'string',
} -%}

with

{{ row_versions(source('raw', 'subscription_changes'), columns, ['change_id'], 'changed_at') }},

currencies as (

    select * from {{ ref('iso_currencies') }}

),

subscribers as (

    select * from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

plans as (

    select * from {{ ref('stg_billing__plans') }}

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
                ['change_id'],
                nullable=['cancel_requested_at', 'end_reason', 'cancel_feedback'],
                event_at='versions.changed_at',
            ) }}
            when
                versions.status not in ('trialing', 'active', 'past_due', 'paused', 'ended')
                or versions.billing_period_unit not in ('day', 'week', 'month', 'year')
                then 'unknown_value'
            when currencies.currency is null then 'unknown_currency'
            when subscribers.subscriber_id is null then 'missing_reference'
            when plans.plan_id is null then 'missing_reference'
            when versions.billing_period_count < 1 or versions.amount_minor < 0 then 'out_of_range'
        end as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.changed_at') }} as current_subscriber_id
    from versions
    left join currencies
        on versions.currency = currencies.currency
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join plans
        on versions.plan_id = plans.plan_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

rows_with_verdict as (

    select
        change_id,
        subscription_id,
        current_subscriber_id as subscriber_id,
        changed_at,
        status,
        plan_id,
        billing_period_unit,
        billing_period_count,
        amount_minor,
        currency,
        cancel_requested_at,
        {{ known_or_other('end_reason', [
            'cancelled', 'payment_failed', 'trial_expired', 'gift_ended', 'refunded', 'admin',
        ]) }} as end_reason,
        {{ known_or_other('cancel_feedback', [
            'price', 'content', 'quality', 'competitor', 'seasonal', 'technical', 'other',
        ]) }} as cancel_feedback,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        change_id as row_key,
        case
            when broken_rule is not null and coalesce(current_subscriber_id = subscriber_id, true)
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
