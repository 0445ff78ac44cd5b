with

invoice_lines as (

    select * from {{ ref('stg_billing__invoice_lines') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

collections as (

    select
        invoice_id,
        min(case when status = 'succeeded' then attempted_at end) as collected_at
    from payments
    group by invoice_id

),

-- an open invoice that nobody tried to collect counts; one whose every attempt failed does not
memberships as (

    select
        invoices.subscriber_id,
        invoice_lines.period_end_at as expires_at,
        coalesce(collections.collected_at, invoices.issued_at) as transacted_at
    from invoice_lines
    inner join invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    left join collections
        on invoice_lines.invoice_id = collections.invoice_id
    where
        invoice_lines.kind = 'subscription'
        and invoice_lines.period_start_at < invoice_lines.period_end_at
        and (
            invoices.status = 'paid'
            or (
                invoices.status = 'open'
                and (collections.invoice_id is null or collections.collected_at is not null)
            )
        )

),

expired_memberships as (

    select
        memberships.*,
        {{ local_month('expires_at') }} as month_start
    from memberships
    where expires_at < {{ as_of() }}

),

last_expiries as (

    select
        subscriber_id,
        month_start,
        max(expires_at) as expires_at
    from expired_memberships
    group by subscriber_id, month_start

),

renewals as (

    select
        last_expiries.subscriber_id,
        last_expiries.month_start,
        count(*) as renewals
    from last_expiries
    inner join memberships
        on
            last_expiries.subscriber_id = memberships.subscriber_id
            and last_expiries.expires_at < memberships.expires_at
            and last_expiries.expires_at + interval 30 day >= memberships.transacted_at
    group by last_expiries.subscriber_id, last_expiries.month_start

),

membership_expiries as (

    select
        last_expiries.subscriber_id,
        last_expiries.month_start,
        last_expiries.expires_at,
        renewals.renewals is not null as is_renewed,
        renewals.renewals is null
        and last_expiries.expires_at + interval 30 day < {{ as_of() }} as is_churned
    from last_expiries
    left join renewals
        on
            last_expiries.subscriber_id = renewals.subscriber_id
            and last_expiries.month_start = renewals.month_start

)

select * from membership_expiries
