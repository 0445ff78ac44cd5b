with

accepted as (

    select
        invoice_id,
        subscriber_id,
        subscription_id,
        issued_at,
        status,
        currency,
        total_minor,
        tax_minor,
        recorded_at
    from {{ ref('base_billing__invoices') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
