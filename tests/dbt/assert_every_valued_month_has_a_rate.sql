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

quarantine_rules as (

    select * from {{ ref('quarantine_rules') }}

),

-- who has sent a rate for those days is not helped by the advice to send one
quarantined_rates as (

    select
        currency,
        {{ month_start('rate_date + interval 7 day') }} as month_start,
        rate_date,
        broken_rule
    from {{ ref('base_billing__exchange_rates') }}
    where
        broken_rule is not null
        and (version_rank = 1 or version_rank is null)

),

newest_quarantined_rates as (

    select
        currency,
        month_start,
        rate_date,
        broken_rule
    from quarantined_rates
    where rate_date <= month_start
    qualify
        row_number() over (
            partition by currency, month_start
            order by rate_date desc, broken_rule asc
        ) = 1

),

months_without_rate as (

    select
        currency,
        month_start,
        'no rate for ' || currency || ' on ' || cast(month_start as string) as fault,
        'a rate_date from ' || cast(cast(month_start - interval 7 day as date) as string)
        || ' to ' || cast(month_start as string) as days
    from valued_months
    where rate is null

),

missing_rates as (

    select
        months_without_rate.currency,
        months_without_rate.month_start,
        case
            when newest_quarantined_rates.currency is null
                then
                    months_without_rate.fault
                    || ': add a row for ' || months_without_rate.currency
                    || ' to exchange_rates with ' || months_without_rate.days
            else
                months_without_rate.fault
                || ': exchange_rates has rows for ' || months_without_rate.currency
                || ' with ' || months_without_rate.days || ', but they are quarantined, that of '
                || cast(newest_quarantined_rates.rate_date as string) || ' by the rule '
                || quarantine_rules.rule || ' (' || quarantine_rules.reason
                || '); send one of them again, mended and with a newer recorded_at'
        end as message
    from months_without_rate
    left join newest_quarantined_rates
        on
            months_without_rate.currency = newest_quarantined_rates.currency
            and months_without_rate.month_start = newest_quarantined_rates.month_start
    left join quarantine_rules
        on newest_quarantined_rates.broken_rule = quarantine_rules.rule

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
