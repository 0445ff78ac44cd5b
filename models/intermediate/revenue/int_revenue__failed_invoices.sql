with

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

collections as (

    select
        invoice_id,
        min(attempted_at) as collected_at
    from payments
    where status = 'succeeded'
    group by invoice_id

),

-- an attempt that fails after the money has come is no failure to collect
attempts as (

    select
        payments.invoice_id,
        collections.collected_at,
        min(payments.attempted_at) as first_failed_at,
        count(*) as failed_attempts
    from payments
    left join collections
        on payments.invoice_id = collections.invoice_id
    where
        payments.status = 'failed'
        and payments.attempted_at <= {{ open_end('collections.collected_at') }}
    group by payments.invoice_id, collections.collected_at

),

failed_invoices as (

    select
        attempts.invoice_id,
        invoices.subscriber_id,
        invoices.subscription_id,
        invoices.status,
        attempts.first_failed_at,
        attempts.collected_at as recovered_at,
        attempts.failed_attempts,
        attempts.first_failed_at + interval {{ var('past_due_grace_days') * 24 }} hour
            as grace_ends_at,
        {{ microseconds_between('attempts.first_failed_at', 'attempts.collected_at') }}
            as recovery_microseconds,
        {{ local_month('attempts.first_failed_at') }} as month_start
    from attempts
    inner join invoices
        on attempts.invoice_id = invoices.invoice_id

),

-- what became of the subscription from the failure on; past due may reach the store a little later
consequences as (

    select
        failed_invoices.invoice_id,
        max(
            case
                when
                    states.status in ('past_due', 'unpaid')
                    and failed_invoices.first_failed_at + interval 24 hour > states.valid_from
                    and {{ open_end('failed_invoices.recovered_at') }} > states.valid_from
                    then 1
                else 0
            end
        ) = 1 as was_past_due,
        max(
            case
                -- where the grace is over already, there is nothing to wait for
                when states.status = 'unpaid' then 1
                -- one that had ended before may be a return, whose payment may yet come
                when
                    states.valid_from >= failed_invoices.first_failed_at
                    and states.status = 'ended'
                    and states.end_reason = 'payment_failed'
                    then 1
                else 0
            end
        ) = 1 as has_run_out
    from failed_invoices
    inner join states
        on
            failed_invoices.subscription_id = states.subscription_id
            and failed_invoices.first_failed_at < {{ open_end('states.valid_to') }}
    group by failed_invoices.invoice_id

),

failed_invoices_with_outcome as (

    select
        failed_invoices.invoice_id,
        failed_invoices.subscriber_id,
        failed_invoices.subscription_id,
        failed_invoices.month_start,
        failed_invoices.first_failed_at,
        failed_invoices.failed_attempts,
        failed_invoices.recovered_at,
        failed_invoices.recovery_microseconds,
        coalesce(consequences.was_past_due, false) as was_past_due,
        case
            when failed_invoices.recovered_at is not null then 'recovered'
            when failed_invoices.status = 'paid' then 'recovered'
            when failed_invoices.status in ('uncollectible', 'void') then 'lost'
            when consequences.has_run_out then 'lost'
            when failed_invoices.grace_ends_at < {{ as_of() }} then 'lost'
            else 'pending'
        end as outcome
    from failed_invoices
    left join consequences
        on failed_invoices.invoice_id = consequences.invoice_id

)

select * from failed_invoices_with_outcome
