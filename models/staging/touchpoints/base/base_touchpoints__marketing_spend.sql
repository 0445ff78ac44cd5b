{%- set columns = {
    'spend_date': 'date',
    'acquisition_channel': 'string',
    'country_code': 'string',
    'amount_minor': 'bigint',
    'currency': 'string',
} -%}
{%- set event_at = first_instant('spend_date') -%}

with

{{ row_versions(
    source('raw', 'marketing_spend'),
    columns,
    ['spend_date', 'acquisition_channel', 'country_code'],
    event_at,
) }},

currencies as (

    select * from {{ ref('iso_currencies') }}

),

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['spend_date', 'acquisition_channel', 'country_code'],
                event_at=event_at,
            ) }}
            when currencies.currency is null then 'unknown_currency'
        end as broken_rule
    from versions
    left join currencies
        on versions.currency = currencies.currency

),

rows_with_verdict as (

    select
        spend_date,
        acquisition_channel,
        country_code,
        amount_minor,
        currency,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        cast(spend_date as string) || '|' || acquisition_channel || '|' || country_code as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
