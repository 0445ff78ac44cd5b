with

earning_lines as (

    select * from {{ ref('int_revenue__lines') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- the days of the line that have passed at the start and at the end of the month's elapsed part
line_months as (

    select
        earning_lines.invoice_line_id,
        earning_lines.invoice_id,
        earning_lines.subscriber_id,
        earning_lines.currency,
        earning_lines.is_uncollectible,
        earning_lines.amount_minor,
        months.month_start,
        {{ days_between('earning_lines.first_date', 'earning_lines.end_date') }} as line_days,
        {{ days_between(
            'earning_lines.first_date', 'greatest(months.month_start, earning_lines.first_date)'
        ) }} as days_before,
        {{ days_between(
            'earning_lines.first_date', 'least(months.elapsed_until_date, earning_lines.end_date)'
        ) }} as days_until
    from earning_lines
    inner join months
        on
            earning_lines.first_date < months.elapsed_until_date
            and earning_lines.end_date > months.month_start

),

-- shares are differences of one running total, so that they add up to the line; an amount times its
-- days may take more than 64 bits
shares as (

    select
        invoice_line_id,
        invoice_id,
        subscriber_id,
        currency,
        is_uncollectible,
        month_start,
        cast(
            {{ divide_rounded(wide('amount_minor') ~ ' * days_until', 'line_days') }}
            - {{ divide_rounded(wide('amount_minor') ~ ' * days_before', 'line_days') }} as bigint
        ) as share_minor
    from line_months

)

select * from shares
