with

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

refunds as (

    select * from {{ ref('stg_billing__refunds') }}

),

failed_invoices as (

    select * from {{ ref('int_revenue__failed_invoices') }}
    where recovered_at is not null

),

payment_events as (

    select
        'payment_failed:' || payments.payment_id as event_id,
        invoices.subscriber_id,
        payments.attempted_at as occurred_at,
        'payment_failed' as event_type,
        payments.method as detail
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id
    where payments.status = 'failed'
    union all
    select
        'payment_recovered:' || invoice_id as event_id,
        subscriber_id,
        recovered_at as occurred_at,
        'payment_recovered' as event_type,
        cast(null as string) as detail
    from failed_invoices
    union all
    select
        'refunded:' || refunds.refund_id as event_id,
        invoices.subscriber_id,
        refunds.refunded_at as occurred_at,
        'refunded' as event_type,
        refunds.kind as detail
    from refunds
    inner join payments
        on refunds.payment_id = payments.payment_id
    inner join invoices
        on payments.invoice_id = invoices.invoice_id

)

select * from payment_events
