{#- A warning: who came to streaming from a network of cables may have subscribers of before. -#}
{{ config(severity='warn', meta={'fault': 'input'}) }}

{%- set beginnings = {
    'stg_subscribers__subscribers': 'signed_up_at',
    'stg_billing__subscription_changes': 'changed_at',
    'stg_billing__invoices': 'issued_at',
    'stg_billing__invoice_lines': 'period_start_at',
    'stg_billing__payments': 'attempted_at',
    'stg_billing__refunds': 'refunded_at',
    'stg_viewing__playback_sessions': 'started_at',
    'stg_touchpoints__support_tickets': 'opened_at',
    'stg_touchpoints__survey_responses': 'responded_at',
    'stg_touchpoints__campaign_touches': 'sent_at',
    'stg_touchpoints__marketing_spend': 'spend_date',
} %}

with

-- no month is built for the lines of other invoices
billed_lines as (

    select invoice_lines.period_start_at
    from {{ ref('stg_billing__invoice_lines') }} as invoice_lines
    inner join {{ ref('stg_billing__invoices') }} as invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    where invoices.status in ('open', 'paid', 'uncollectible')

),

early_rows as (

    {%- for model, began_at in beginnings.items() %}
    select
        '{{ model.split("__")[1] }}' as table_name,
        cast({{ began_at }} as date) as began_on
    from {{ 'billed_lines' if model == 'stg_billing__invoice_lines' else ref(model) }}
    where {{ began_at }} < date '1990-01-01'
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

early_tables as (

    select
        table_name,
        count(*) as early_rows,
        min(began_on) as first_date
    from early_rows
    group by table_name

)

select
    table_name,
    early_rows,
    first_date,
    table_name || ': ' || cast(early_rows as string)
    || ' of its rows happened before 1990, the first on ' || cast(first_date as string)
    || ', and every month since then is built' as message
from early_tables
