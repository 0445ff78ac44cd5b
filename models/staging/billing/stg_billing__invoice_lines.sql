with

accepted as (

    select
        invoice_line_id,
        invoice_id,
        kind,
        plan_id,
        period_start_at,
        period_end_at,
        amount_minor,
        tax_minor,
        discount_minor,
        promotion_code,
        recorded_at
    from {{ ref('base_billing__invoice_lines') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
