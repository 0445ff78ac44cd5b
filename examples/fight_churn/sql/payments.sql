-- nothing in the source says that money came in, so the table has its columns and no rows
select
    cast(null as varchar) as payment_id,
    cast(null as varchar) as invoice_id,
    cast(null as timestamp) as attempted_at,
    cast(null as varchar) as status,
    cast(null as bigint) as amount_minor,
    cast(null as varchar) as currency,
    cast(null as varchar) as method,
    cast(null as varchar) as failure_code,
    cast(null as bigint) as fee_minor,
    cast(null as timestamp) as recorded_at
where false
