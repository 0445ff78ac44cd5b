with

invoice_lines as (

    select * from {{ ref('stg_billing__invoice_lines') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

-- drafts and void invoices earn nothing, ever
earning_lines as (

    select
        invoice_lines.invoice_line_id,
        invoice_lines.invoice_id,
        invoices.subscriber_id,
        invoices.currency,
        invoices.status = 'uncollectible' as is_uncollectible,
        invoice_lines.amount_minor,
        {{ local_date('invoices.issued_at') }} as issued_date,
        {{ local_date('invoice_lines.period_start_at') }} as period_start_date,
        {{ local_date('invoice_lines.period_end_at') }} as period_end_date
    from invoice_lines
    inner join invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    where invoices.status in ('open', 'paid', 'uncollectible')

),

-- a line without a period of a day or more falls whole on one day
lines_with_days as (

    select
        invoice_line_id,
        invoice_id,
        subscriber_id,
        currency,
        is_uncollectible,
        amount_minor,
        coalesce(period_start_date, issued_date) as first_date,
        case
            when period_end_date > period_start_date then period_end_date
            else {{ next_day('coalesce(period_start_date, issued_date)') }}
        end as end_date
    from earning_lines

)

select * from lines_with_days
