with

accepted as (

    select
        refund_id,
        payment_id,
        kind,
        refunded_at,
        amount_minor,
        tax_minor,
        currency,
        recorded_at
    from {{ ref('base_billing__refunds') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
