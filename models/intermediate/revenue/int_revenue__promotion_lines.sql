with

discounts as (

    select * from {{ ref('int_revenue__promotion_discounts') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

promotion_lines as (

    select
        discounts.invoice_line_id,
        discounts.promotion_code,
        discounts.subscriber_id,
        discounts.redemption_id,
        discounts.issued_date,
        case
            when discounts.discount_minor = 0 then cast(0 as decimal(18, 4))
            else {{ value_at(
                as_money(
                    ten_thousandths('discounts.discount_minor', 'currencies.minor_unit_digits')
                ),
                'valued_months.rate',
            ) }}
        end as discount_amount
    from discounts
    inner join currencies
        on discounts.currency = currencies.currency
    left join valued_months
        on
            discounts.currency = valued_months.currency
            and discounts.month_start = valued_months.month_start

)

select * from promotion_lines
