with

invoice_lines as (

    select * from {{ ref('stg_billing__invoice_lines') }}
    where promotion_code is not null

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}
    where status in ('open', 'paid', 'uncollectible')

),

promotion_discounts as (

    select
        invoice_lines.invoice_line_id,
        invoice_lines.promotion_code,
        invoices.subscriber_id,
        -- ids of the two may be the same
        coalesce('subscription:' || invoices.subscription_id, 'invoice:' || invoices.invoice_id)
            as redemption_id,
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

)

select * from promotion_discounts
