{%- set columns = {
    'rate_date': 'date',
    'currency': 'string',
    'rate': 'decimal(27,18)',
} -%}
{%- set event_at = first_instant('rate_date') -%}

with

{{ row_versions(source('raw', 'exchange_rates'), columns, ['rate_date', 'currency'], event_at) }},

currencies as (

    select * from {{ ref('iso_currencies') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(columns, ['rate_date', 'currency'], event_at=event_at) }}
            when currencies.currency is null then 'unknown_currency'
            when versions.rate <= 0 then 'out_of_range'
        end as broken_rule
    from versions
    left join currencies
        on versions.currency = currencies.currency

),

rows_with_verdict as (

    select
        rate_date,
        currency,
        rate,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        cast(rate_date as string) || '|' || {{ told_text('currency') }} as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
