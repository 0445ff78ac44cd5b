with

months as (

    select * from {{ ref('int_calendar__months') }}

),

month_rates as (

    select * from {{ ref('int_currency__month_rates') }}

),

-- a level in another currency is valued anew in every month that it lasts into
level_spans as (

    select
        currency,
        start_month,
        end_month
    from {{ ref('int_subscriptions__level_subscriptions') }}
    where currency <> '{{ var("reporting_currency") }}'
    group by currency, start_month, end_month

),

level_months as (

    select
        level_spans.currency,
        months.month_start
    from level_spans
    inner join months
        on
            level_spans.start_month <= months.month_start
            and {{ open_end('level_spans.end_month', 'date') }} >= months.month_start

),

state_months as (

    select
        currency,
        {{ local_month('valid_from') }} as month_start
    from {{ ref('int_subscriptions__states') }}
    where own_currency_mrr > 0

),

valuations as (

    select
        currency,
        month_start
    from level_months
    union all
    select
        currency,
        month_start
    from state_months
    union all
    select
        currency,
        month_start
    from {{ ref('int_revenue__line_months') }}
    where share_minor <> 0
    union all
    select
        currency,
        month_start
    from {{ ref('int_revenue__cash_movements') }}
    where movement_minor <> 0
    union all
    -- it may be all that there is to value: a first month for nothing
    select
        currency,
        month_start
    from {{ ref('int_revenue__promotion_discounts') }}
    where discount_minor <> 0
    union all
    select
        currency,
        {{ month_start('spend_date') }} as month_start
    from {{ ref('stg_touchpoints__marketing_spend') }}
    where amount_minor <> 0

),

currency_months as (

    select
        currency,
        month_start
    from valuations
    where currency <> '{{ var("reporting_currency") }}'
    group by currency, month_start

),

-- null where none of the week up to the month's first day is known
valued_months as (

    select
        currency_months.currency,
        currency_months.month_start,
        month_rates.rate,
        month_rates.rate_trillionths
    from currency_months
    left join month_rates
        on
            currency_months.currency = month_rates.currency
            and currency_months.month_start = month_rates.month_start

    union all

    select
        currency,
        month_start,
        rate,
        rate_trillionths
    from month_rates
    where currency = '{{ var("reporting_currency") }}'

)

select * from valued_months
