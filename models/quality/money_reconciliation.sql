with

judged_lines as (

    select * from {{ ref('base_billing__invoice_lines') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

line_months as (

    select * from {{ ref('int_revenue__line_months') }}

),

elapsed_shares as (

    select
        invoice_line_id,
        sum(share_minor) as elapsed_minor
    from line_months
    group by invoice_line_id

),

-- a line whose invoice was not accepted has no currency that anybody vouches for
classified_lines as (

    select
        coalesce(invoices.currency, 'unknown') as currency,
        coalesce(judged_lines.amount_minor, 0) as amount_minor,
        judged_lines.copies,
        case
            when judged_lines.version_rank > 1 then 'superseded'
            when judged_lines.broken_rule is not null then 'quarantined'
            when invoices.status = 'uncollectible' then 'uncollectible'
            when invoices.status in ('draft', 'void') then 'unearned'
            else 'earned'
        end as place,
        coalesce(elapsed_shares.elapsed_minor, 0) as elapsed_minor
    from judged_lines
    left join invoices
        on judged_lines.invoice_id = invoices.invoice_id
    left join elapsed_shares
        on judged_lines.invoice_line_id = elapsed_shares.invoice_line_id

),

totals as (

    select
        currency,
        sum(amount_minor * copies) as raw_minor,
        sum(case when place = 'earned' then elapsed_minor else 0 end) as recognised_minor,
        sum(case when place = 'earned' then amount_minor - elapsed_minor else 0 end)
            as future_minor,
        sum(case when place <> 'superseded' then amount_minor * (copies - 1) else 0 end)
            as duplicate_minor,
        sum(case when place = 'superseded' then amount_minor * copies else 0 end)
            as superseded_minor,
        sum(case when place = 'quarantined' then amount_minor else 0 end) as quarantined_minor,
        sum(case when place = 'uncollectible' then amount_minor else 0 end) as uncollectible_minor,
        sum(case when place = 'unearned' then amount_minor else 0 end) as unearned_minor
    from classified_lines
    group by currency

),

reconciliation as (

    select
        currency,
        cast(raw_minor as bigint) as raw_minor,
        cast(recognised_minor as bigint) as recognised_minor,
        cast(future_minor as bigint) as future_minor,
        cast(
            duplicate_minor + superseded_minor + quarantined_minor + uncollectible_minor
            + unearned_minor as bigint
        ) as excluded_minor,
        cast(duplicate_minor as bigint) as duplicate_minor,
        cast(superseded_minor as bigint) as superseded_minor,
        cast(quarantined_minor as bigint) as quarantined_minor,
        cast(uncollectible_minor as bigint) as uncollectible_minor,
        cast(unearned_minor as bigint) as unearned_minor
    from totals

)

select * from reconciliation
