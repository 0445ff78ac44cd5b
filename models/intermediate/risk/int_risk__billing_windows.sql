with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

-- whatever became of one later: void or uncollectible by now, it was open when it was looked at
invoices as (

    select * from {{ ref('stg_billing__invoices') }}
    where status <> 'draft'

),

invoice_lines as (

    select * from {{ ref('stg_billing__invoice_lines') }}
    where kind = 'subscription'

),

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

subscription_invoices as (

    select
        invoices.subscriber_id,
        invoices.invoice_id,
        invoices.issued_at,
        max(invoice_lines.period_end_at) as paid_until_at,
        sum(invoice_lines.discount_minor) > 0 as is_discounted
    from invoices
    inner join invoice_lines
        on invoices.invoice_id = invoice_lines.invoice_id
    group by invoices.subscriber_id, invoices.invoice_id, invoices.issued_at

),

invoice_intervals as (

    select
        subscription_invoices.*,
        lead(issued_at) over (
            partition by subscriber_id order by issued_at, invoice_id
        ) as next_issued_at
    from subscription_invoices

),

attempts as (

    select
        invoices.subscriber_id,
        payments.invoice_id,
        payments.attempted_at,
        payments.status,
        payments.method,
        lead(payments.attempted_at) over (
            partition by invoices.subscriber_id
            order by payments.attempted_at, payments.payment_id
        ) as next_attempted_at
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id

),

dated_observations as (

    select
        observations.subscriber_id,
        observations.observation_date,
        windows.quarter_starts_at,
        windows.cutoff_at,
        windows.horizon_ends_at
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date

),

-- an invoice that failed five times is one failure: how often a card is tried is our doing
failures as (

    select
        dated_observations.subscriber_id,
        dated_observations.observation_date,
        cast(count(distinct attempts.invoice_id) as integer) as failed_invoices_90d
    from dated_observations
    inner join attempts
        on
            dated_observations.subscriber_id = attempts.subscriber_id
            and dated_observations.quarter_starts_at <= attempts.attempted_at
            and dated_observations.cutoff_at > attempts.attempted_at
    where attempts.status = 'failed'
    group by dated_observations.subscriber_id, dated_observations.observation_date

),

billing_windows as (

    select
        dated_observations.subscriber_id,
        dated_observations.observation_date,
        invoice_intervals.paid_until_at >= dated_observations.horizon_ends_at
            as is_paid_beyond_horizon,
        invoice_intervals.is_discounted,
        last_attempts.method as payment_method,
        coalesce(failures.failed_invoices_90d, 0) as failed_invoices_90d
    from dated_observations
    left join invoice_intervals
        on
            dated_observations.subscriber_id = invoice_intervals.subscriber_id
            and dated_observations.cutoff_at > invoice_intervals.issued_at
            and dated_observations.cutoff_at <= {{ open_end('invoice_intervals.next_issued_at') }}
    left join attempts as last_attempts
        on
            dated_observations.subscriber_id = last_attempts.subscriber_id
            and dated_observations.cutoff_at > last_attempts.attempted_at
            and dated_observations.cutoff_at
            <= {{ open_end('last_attempts.next_attempted_at') }}
    left join failures
        on
            dated_observations.subscriber_id = failures.subscriber_id
            and dated_observations.observation_date = failures.observation_date

)

select * from billing_windows
