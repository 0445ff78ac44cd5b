with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

invoice_lines as (

    select * from {{ ref('stg_billing__invoice_lines') }}
    where kind = 'subscription'

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}
    where status in ('open', 'paid', 'uncollectible')

),

billed_periods as (

    select
        invoices.subscriber_id,
        invoice_lines.invoice_line_id,
        invoice_lines.promotion_code,
        coalesce(invoice_lines.period_start_at, invoices.issued_at) as started_at,
        -- a period may be billed from a little before the lifetime that it is for
        coalesce(invoice_lines.period_start_at, invoices.issued_at) + interval 24 hour
            as billed_for_at,
        coalesce(
            invoice_lines.period_end_at, invoice_lines.period_start_at, invoices.issued_at
        ) as ended_at
    from invoice_lines
    inner join invoices
        on invoice_lines.invoice_id = invoices.invoice_id

),

lifetime_periods as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        billed_periods.promotion_code,
        billed_periods.started_at,
        -- what was billed before the lifetime gives no discount before it
        greatest(billed_periods.ended_at, lifetimes.started_at) as ended_at,
        row_number() over (
            partition by lifetimes.subscriber_id, lifetimes.lifetime_number
            order by
                billed_periods.started_at,
                case when billed_periods.promotion_code is null then 1 else 0 end,
                billed_periods.promotion_code,
                billed_periods.invoice_line_id
        ) as period_number
    from lifetimes
    inner join billed_periods
        on
            lifetimes.subscriber_id = billed_periods.subscriber_id
            and lifetimes.started_at <= billed_periods.billed_for_at
            and {{ open_end('lifetimes.ended_at') }} > billed_periods.started_at
            and {{ open_end('lifetimes.won_back_at') }} > billed_periods.billed_for_at

),

opening_offers as (

    select
        subscriber_id,
        lifetime_number,
        promotion_code
    from lifetime_periods
    where
        period_number = 1
        and promotion_code is not null

),

discounts as (

    select
        opening_offers.subscriber_id,
        opening_offers.lifetime_number,
        opening_offers.promotion_code,
        max(
            case
                when lifetime_periods.promotion_code = opening_offers.promotion_code
                    then lifetime_periods.ended_at
            end
        ) as discounted_until_at,
        max(
            case
                when
                    coalesce(
                        lifetime_periods.promotion_code <> opening_offers.promotion_code, true
                    )
                    then lifetime_periods.started_at
            end
        ) as last_billed_without_at
    from opening_offers
    inner join lifetime_periods
        on
            opening_offers.subscriber_id = lifetime_periods.subscriber_id
            and opening_offers.lifetime_number = lifetime_periods.lifetime_number
    group by
        opening_offers.subscriber_id,
        opening_offers.lifetime_number,
        opening_offers.promotion_code

),

promotion_lifetimes as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.start_month,
        lifetimes.first_billing_period_unit,
        lifetimes.first_billing_period_count,
        lifetimes.tenure_days,
        cast({{ days_between(local_date('lifetimes.started_at'), local_date(as_of())) }} as integer)
            as observed_days,
        discounts.promotion_code,
        cast({{ days_between(
            local_date('lifetimes.started_at'), local_date('discounts.discounted_until_at')
        ) }} as integer) as discount_days,
        coalesce(discounts.last_billed_without_at >= discounts.discounted_until_at, false)
            as has_paid_full_price
    from lifetimes
    left join discounts
        on
            lifetimes.subscriber_id = discounts.subscriber_id
            and lifetimes.lifetime_number = discounts.lifetime_number

)

select * from promotion_lifetimes
