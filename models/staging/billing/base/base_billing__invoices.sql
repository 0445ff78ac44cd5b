{%- set columns = {
    'invoice_id': 'string',
    'subscriber_id': 'string',
    'subscription_id': 'string',
    'issued_at': 'timestamp',
    'status': 'string',
    'currency': 'string',
    'total_minor': 'bigint',
    'tax_minor': 'bigint',
} -%}

with

{{ row_versions(source('raw', 'invoices'), columns, ['invoice_id'], 'issued_at') }},

currencies as (

    select * from {{ ref('iso_currencies') }}

),

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
                ['invoice_id'],
                nullable=['subscription_id'],
                event_at='versions.issued_at',
            ) }}
            when versions.status not in ('draft', 'open', 'paid', 'void', 'uncollectible')
                then 'unknown_value'
            when currencies.currency is null then 'unknown_currency'
            when subscribers.subscriber_id is null then 'missing_reference'
        end as broken_rule,
        erasures.erased_subscriber_id,
        {{ subscriber_after_erasure('versions', 'versions.issued_at') }} as current_subscriber_id
    from versions
    left join currencies
        on versions.currency = currencies.currency
    left join subscribers
        on versions.subscriber_id = subscribers.subscriber_id
    left join erasures
        on versions.subscriber_id = erasures.subscriber_id

),

rows_with_verdict as (

    select
        invoice_id,
        current_subscriber_id as subscriber_id,
        subscription_id,
        issued_at,
        status,
        currency,
        total_minor,
        tax_minor,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        invoice_id as row_key,
        case
            when broken_rule is not null and coalesce(current_subscriber_id = subscriber_id, true)
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
