with

payments as (

    select * from {{ ref('stg_billing__payments') }}
    where status = 'failed'

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

windows as (

    select
        month_start,
        cast(elapsed_until_date - interval 90 day as date) as window_start_date,
        elapsed_until_date
    from {{ ref('int_calendar__months') }}

),

failed_attempts as (

    select
        invoices.subscriber_id,
        invoices.invoice_id,
        {{ local_date('payments.attempted_at') }} as attempt_date
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id

),

-- an invoice that failed five times is one failure: how often a card is tried is our doing
payment_windows as (

    select
        failed_attempts.subscriber_id,
        windows.month_start,
        cast(count(distinct failed_attempts.invoice_id) as integer) as failed_invoices_90d
    from failed_attempts
    inner join windows
        on
            failed_attempts.attempt_date >= windows.window_start_date
            and failed_attempts.attempt_date < windows.elapsed_until_date
    group by failed_attempts.subscriber_id, windows.month_start

)

select * from payment_windows
