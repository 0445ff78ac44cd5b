with

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

refunds as (

    select * from {{ ref('stg_billing__refunds') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

collections as (

    select
        payments.payment_id as cash_movement_id,
        'collected' as kind,
        invoices.subscriber_id,
        payments.attempted_at as moved_at,
        payments.currency,
        payments.amount_minor as movement_minor
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id
    where payments.status = 'succeeded'

),

-- the tax in a payment is its share of the tax on its invoice; the product of the two may take more
-- than 64 bits
collected_taxes as (

    select
        payments.payment_id as cash_movement_id,
        'tax' as kind,
        invoices.subscriber_id,
        payments.attempted_at as moved_at,
        payments.currency,
        cast(
            {{ divide_rounded(
                wide('payments.amount_minor') ~ ' * invoices.tax_minor',
                'invoices.total_minor',
            ) }} as bigint
        ) as movement_minor
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id
    where
        payments.status = 'succeeded'
        and invoices.total_minor > 0
        and invoices.tax_minor <> 0

),

-- a failed attempt may cost its fee too
fees as (

    select
        payments.payment_id as cash_movement_id,
        'fee' as kind,
        invoices.subscriber_id,
        payments.attempted_at as moved_at,
        payments.currency,
        payments.fee_minor as movement_minor
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id
    where payments.fee_minor <> 0

),

-- without tax, as revenue is; what a bank gives back after a dispute counts against it
returns as (

    select
        refunds.refund_id as cash_movement_id,
        'refunded' as kind,
        invoices.subscriber_id,
        refunds.refunded_at as moved_at,
        refunds.currency,
        case
            when refunds.kind = 'chargeback_reversal' then refunds.tax_minor - refunds.amount_minor
            else refunds.amount_minor - refunds.tax_minor
        end as movement_minor
    from refunds
    inner join payments
        on refunds.payment_id = payments.payment_id
    inner join invoices
        on payments.invoice_id = invoices.invoice_id

),

cash_movements as (

    select * from collections
    union all
    select * from collected_taxes
    union all
    select * from fees
    union all
    select * from returns

),

cash_movements_with_month as (

    select
        cash_movements.*,
        {{ local_month('moved_at') }} as month_start
    from cash_movements

)

select * from cash_movements_with_month
