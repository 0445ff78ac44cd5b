{{ config(meta={'fault': 'input'}) }}

{%- set tables_with_currency = {
    'subscription_changes': 'stg_billing__subscription_changes',
    'invoices': 'stg_billing__invoices',
    'payments': 'stg_billing__payments',
    'refunds': 'stg_billing__refunds',
    'marketing_spend': 'stg_touchpoints__marketing_spend',
} %}

with

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

raw_rates as (

    select count(*) as raw_rows from {{ source('raw', 'exchange_rates') }}

),

missing_rates as (

    select
        currency,
        month_start,
        'no rate for ' || currency || ' on ' || cast(month_start as string)
        || ': add a row for ' || currency || ' to exchange_rates with a rate_date from '
        || cast(cast(month_start - interval 7 day as date) as string)
        || ' to ' || cast(month_start as string) as message
    from valued_months
    where rate is null

),

other_currencies as (

    {%- for table, staged in tables_with_currency.items() %}
    select
        '{{ table }}' as table_name,
        min(currency) as currency
    from {{ ref(staged) }}
    where currency <> '{{ var("reporting_currency") }}'
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

-- the table is required as soon as a row is in another currency, be it one of no amount
missing_tables as (

    select
        other_currencies.currency,
        cast(null as date) as month_start,
        'exchange_rates is required, and has no row: an accepted row of '
        || other_currencies.table_name || ' is in ' || other_currencies.currency as message
    from other_currencies
    cross join raw_rates
    where
        other_currencies.currency is not null
        and raw_rates.raw_rows = 0

),

missing as (

    select * from missing_rates
    union all
    select * from missing_tables

)

select * from missing
