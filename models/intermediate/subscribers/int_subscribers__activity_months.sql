with

viewing_months as (

    select * from {{ ref('int_viewing__subscriber_months') }}

),

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

support_tickets as (

    select * from {{ ref('stg_touchpoints__support_tickets') }}

),

activities as (

    select
        subscriber_id,
        month_start,
        viewing_days,
        plays,
        valid_plays,
        seen_seconds as watched_seconds,
        0 as failed_payments,
        0 as support_tickets
    from viewing_months
    union all
    select
        invoices.subscriber_id,
        {{ local_month('payments.attempted_at') }} as month_start,
        0 as viewing_days,
        0 as plays,
        0 as valid_plays,
        0 as watched_seconds,
        1 as failed_payments,
        0 as support_tickets
    from payments
    inner join invoices
        on payments.invoice_id = invoices.invoice_id
    where payments.status = 'failed'
    union all
    select
        subscriber_id,
        {{ local_month('opened_at') }} as month_start,
        0 as viewing_days,
        0 as plays,
        0 as valid_plays,
        0 as watched_seconds,
        0 as failed_payments,
        1 as support_tickets
    from support_tickets

),

activity_months as (

    select
        subscriber_id,
        month_start,
        cast(sum(viewing_days) as bigint) as viewing_days,
        cast(sum(plays) as bigint) as plays,
        cast(sum(valid_plays) as bigint) as valid_plays,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        cast(sum(failed_payments) as bigint) as failed_payments,
        cast(sum(support_tickets) as bigint) as support_tickets
    from activities
    group by subscriber_id, month_start

)

select * from activity_months
