{%- set columns = {
    'refund_id': 'string',
    'payment_id': 'string',
    'kind': 'string',
    'refunded_at': 'timestamp',
    'amount_minor': 'bigint',
    'tax_minor': 'bigint',
    'currency': 'string',
    'reason': 'string',
} -%}

with

{{ row_versions(source('raw', 'refunds'), columns, ['refund_id'], 'refunded_at') }},

currencies as (

    select * from {{ ref('iso_currencies') }}

),

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['refund_id'],
                nullable=['reason'],
                event_at='versions.refunded_at',
            ) }}
            when versions.kind not in ('refund', 'chargeback', 'chargeback_reversal')
                then 'unknown_value'
            when currencies.currency is null then 'unknown_currency'
            when payments.payment_id is null then 'missing_reference'
            when versions.amount_minor < 0 then 'out_of_range'
            when versions.amount_minor > payments.amount_minor then 'refund_above_payment'
        end as broken_rule
    from versions
    left join currencies
        on versions.currency = currencies.currency
    left join payments
        on versions.payment_id = payments.payment_id

),

rows_with_verdict as (

    select
        refund_id,
        payment_id,
        kind,
        refunded_at,
        amount_minor,
        tax_minor,
        currency,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        refund_id as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns, personal=['reason']) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
