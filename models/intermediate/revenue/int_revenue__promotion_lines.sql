with

invoice_lines as (

    select * from {{ ref('stg_billing__invoice_lines') }}
    where promotion_code is not null

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}
    where status in ('open', 'paid', 'uncollectible')

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

discounted_lines as (

    select
        invoice_lines.invoice_line_id,
        invoice_lines.promotion_code,
        invoices.subscriber_id,
        coalesce(invoices.subscription_id, invoices.invoice_id) as redemption_id,
        invoices.currency,
        {{ local_date('invoices.issued_at') }} as issued_date,
        {{ local_month('invoices.issued_at') }} as month_start,
        -- what was never paid was not given either
        case
            when invoices.status = 'uncollectible' then 0
            else invoice_lines.discount_minor
        end as discount_minor
    from invoice_lines
    inner join invoices
        on invoice_lines.invoice_id = invoices.invoice_id

),

promotion_lines as (

    select
        discounted_lines.invoice_line_id,
        discounted_lines.promotion_code,
        discounted_lines.subscriber_id,
        discounted_lines.redemption_id,
        discounted_lines.issued_date,
        case
            when discounted_lines.discount_minor = 0 then cast(0 as decimal(18, 4))
            else {{ value_at(
                as_money(
                    ten_thousandths('discounted_lines.discount_minor', 'currencies.minor_unit_digits')
                ),
                'valued_months.rate',
            ) }}
        end as discount_amount
    from discounted_lines
    inner join currencies
        on discounted_lines.currency = currencies.currency
    left join valued_months
        on
            discounted_lines.currency = valued_months.currency
            and discounted_lines.month_start = valued_months.month_start

)

select * from promotion_lines
