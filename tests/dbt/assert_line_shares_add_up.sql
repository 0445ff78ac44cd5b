-- a line whose days are all over is recognised whole, whatever the rounding of its months
with

line_totals as (

    select
        invoice_line_id,
        sum(share_minor) as share_minor
    from {{ ref('int_revenue__line_months') }}
    group by invoice_line_id

),

elapsed_until as (

    select max(elapsed_until_date) as elapsed_until_date
    from {{ ref('int_calendar__months') }}

)

select
    earning_lines.invoice_line_id,
    earning_lines.amount_minor,
    line_totals.share_minor
from {{ ref('int_revenue__lines') }} as earning_lines
inner join elapsed_until
    on earning_lines.end_date <= elapsed_until.elapsed_until_date
left join line_totals
    on earning_lines.invoice_line_id = line_totals.invoice_line_id
where earning_lines.amount_minor <> coalesce(line_totals.share_minor, 0)
