with

accepted as (

    select
        payment_id,
        invoice_id,
        attempted_at,
        status,
        amount_minor,
        currency,
        method,
        failure_code,
        fee_minor,
        recorded_at
    from {{ ref('base_billing__payments') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
