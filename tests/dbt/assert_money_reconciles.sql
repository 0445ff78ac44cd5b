-- to the minor unit, per currency, and in all against the raw table itself
with

raw_totals as (

    select coalesce(sum(amount_minor), 0) as raw_minor
    from {{ source('raw', 'invoice_lines') }}
    where coalesce(recorded_at < {{ as_of() }}, true)

),

reconciled_totals as (

    select coalesce(sum(raw_minor), 0) as raw_minor
    from {{ ref('money_reconciliation') }}

),

differences as (

    select
        currency,
        raw_minor,
        recognised_minor + future_minor + excluded_minor as reconciled_minor
    from {{ ref('money_reconciliation') }}
    where raw_minor <> recognised_minor + future_minor + excluded_minor
    union all
    select
        'all' as currency,
        raw_totals.raw_minor,
        reconciled_totals.raw_minor as reconciled_minor
    from raw_totals
    inner join reconciled_totals
        on raw_totals.raw_minor <> reconciled_totals.raw_minor

)

select * from differences
