{%- set columns = {
    'invoice_line_id': 'string',
    'invoice_id': 'string',
    'kind': 'string',
    'plan_id': 'string',
    'period_start_at': 'timestamp',
    'period_end_at': 'timestamp',
    'amount_minor': 'bigint',
    'tax_minor': 'bigint',
    'discount_minor': 'bigint',
    'promotion_code': 'string',
} -%}

with

{{ row_versions(source('raw', 'invoice_lines'), columns, ['invoice_line_id']) }},

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['invoice_line_id'],
                nullable=['plan_id', 'period_start_at', 'period_end_at', 'promotion_code'],
            ) }}
            when versions.kind not in ('subscription', 'proration', 'add_on', 'one_off')
                then 'unknown_value'
            when invoices.invoice_id is null then 'missing_reference'
            when versions.period_end_at < versions.period_start_at then 'ends_before_start'
        end as broken_rule
    from versions
    left join invoices
        on versions.invoice_id = invoices.invoice_id

),

rows_with_verdict as (

    select
        invoice_line_id,
        invoice_id,
        kind,
        plan_id,
        period_start_at,
        period_end_at,
        amount_minor,
        tax_minor,
        discount_minor,
        promotion_code,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        invoice_line_id as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
