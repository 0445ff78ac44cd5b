with

months as (

    select * from {{ ref('int_calendar__months') }}

),

exchange_rates as (

    select * from {{ ref('stg_billing__exchange_rates') }}

),

-- a day of the week up to a month's first day lies in that month, or would a week later
rates_of_first_days as (

    select
        currency,
        {{ month_start('rate_date + interval 7 day') }} as month_start,
        rate_date,
        rate
    from exchange_rates
    where currency <> '{{ var("reporting_currency") }}'

),

-- the newest rate of that week, whenever it was recorded
newest_rates as (

    select
        currency,
        month_start,
        rate
    from rates_of_first_days
    where rate_date <= month_start
    qualify row_number() over (partition by currency, month_start order by rate_date desc) = 1

),

rates as (

    select
        currency,
        month_start,
        rate
    from newest_rates
    union all
    select
        '{{ var("reporting_currency") }}' as currency,
        month_start,
        cast(1 as decimal(27, 18)) as rate
    from months

),

month_rates as (

    select
        currency,
        month_start,
        rate,
        {{ trillionths('rate') }} as rate_trillionths
    from rates

)

select * from month_rates
