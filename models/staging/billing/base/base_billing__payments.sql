{%- set columns = {
    'payment_id': 'string',
    'invoice_id': 'string',
    'attempted_at': 'timestamp',
    'status': 'string',
    'amount_minor': 'bigint',
    'currency': 'string',
    'method': 'string',
    'failure_code': 'string',
    'fee_minor': 'bigint',
} -%}

with

{{ row_versions(source('raw', 'payments'), columns, ['payment_id'], 'attempted_at') }},

currencies as (

    select * from {{ ref('iso_currencies') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['payment_id'],
                nullable=['failure_code'],
                event_at='versions.attempted_at',
            ) }}
            when versions.status not in ('succeeded', 'failed') then 'unknown_value'
            when currencies.currency is null then 'unknown_currency'
            when invoices.invoice_id is null then 'missing_reference'
            when versions.amount_minor < 0 then 'out_of_range'
        end as broken_rule
    from versions
    left join currencies
        on versions.currency = currencies.currency
    left join invoices
        on versions.invoice_id = invoices.invoice_id

),

rows_with_verdict as (

    select
        payment_id,
        invoice_id,
        attempted_at,
        status,
        amount_minor,
        currency,
        {{ known_or_other('method', [
            'card', 'direct_debit', 'wallet', 'app_store', 'carrier', 'voucher',
        ]) }} as method,
        failure_code,
        fee_minor,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        payment_id as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
