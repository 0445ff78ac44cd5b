{{ config(meta={'fault': 'input'}) }}

with

changes as (

    select * from {{ ref('stg_billing__subscription_changes') }}
    where status in ('active', 'past_due')

),

lines as (

    select * from {{ ref('int_revenue__lines') }}

),

discounts as (

    select * from {{ ref('int_revenue__promotion_discounts') }}

),

cash_movements as (

    select * from {{ ref('int_revenue__cash_movements') }}

),

marketing_spend as (

    select * from {{ ref('stg_touchpoints__marketing_spend') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

-- what is reckoned with: no other amount is in anybody's way
amounts as (

    select
        'invoice_lines' as table_name,
        currency,
        amount_minor
    from lines
    union all
    select
        'invoice_lines' as table_name,
        currency,
        discount_minor as amount_minor
    from discounts
    union all
    select
        case when kind = 'refunded' then 'refunds' else 'payments' end as table_name,
        currency,
        movement_minor as amount_minor
    from cash_movements
    union all
    select
        'marketing_spend' as table_name,
        currency,
        amount_minor
    from marketing_spend

),

ten_thousandths as (

    select
        amounts.table_name,
        amounts.currency,
        {{ ten_thousandths(wide('amounts.amount_minor'), 'currencies.minor_unit_digits') }}
            as ten_thousandths
    from amounts
    inner join currencies
        on amounts.currency = currencies.currency
    union all
    select
        'subscription_changes' as table_name,
        changes.currency,
        {{ monthly_ten_thousandths(
            'changes.amount_minor', 'currencies.minor_unit_digits', 'changes.billing_period_unit',
            'changes.billing_period_count'
        ) }} as ten_thousandths
    from changes
    inner join currencies
        on changes.currency = currencies.currency

),

amounts_too_large as (

    select
        table_name,
        currency,
        count(*) as amounts_too_large
    from ten_thousandths
    where ten_thousandths not between -999999999999999999 and 999999999999999999
    group by table_name, currency

)

select
    table_name,
    currency,
    amounts_too_large,
    table_name || ': ' || cast(amounts_too_large as string)
    || ' of its amounts are a hundred trillion ' || currency
    || ' or more, which decimal(18, 4) can''t hold' as message
from amounts_too_large
