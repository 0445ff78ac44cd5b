{{ config(meta={'fault': 'input'}) }}

with

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

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

)

select * from missing_rates
