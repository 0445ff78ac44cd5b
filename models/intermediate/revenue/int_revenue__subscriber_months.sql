with

line_months as (

    select * from {{ ref('int_revenue__line_months') }}

),

cash_movements as (

    select * from {{ ref('int_revenue__cash_movements') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

amounts as (

    select
        subscriber_id,
        currency,
        month_start,
        case when is_uncollectible then 'uncollectible' else 'recognised' end as kind,
        share_minor as amount_minor
    from line_months
    where share_minor <> 0
    union all
    select
        subscriber_id,
        currency,
        month_start,
        kind,
        movement_minor as amount_minor
    from cash_movements
    where
        kind in ('collected', 'refunded')
        and movement_minor <> 0

),

-- valued and rounded one by one: a line's share of a month, a payment, a refund
valued_amounts as (

    select
        amounts.subscriber_id,
        amounts.month_start,
        amounts.kind,
        {{ value_at(
            as_money(ten_thousandths('amounts.amount_minor', 'currencies.minor_unit_digits')),
            'valued_months.rate',
        ) }} as amount
    from amounts
    inner join currencies
        on amounts.currency = currencies.currency
    inner join valued_months
        on
            amounts.currency = valued_months.currency
            and amounts.month_start = valued_months.month_start

),

subscriber_months as (

    select
        subscriber_id,
        month_start,
        cast(sum(case when kind = 'recognised' then amount else 0 end) as decimal(18, 4))
            as recognised_amount,
        cast(sum(case when kind = 'refunded' then amount else 0 end) as decimal(18, 4))
            as refunded_amount,
        cast(sum(case when kind = 'uncollectible' then amount else 0 end) as decimal(18, 4))
            as uncollectible_amount,
        cast(sum(case when kind = 'collected' then amount else 0 end) as decimal(18, 4))
            as collected_amount
    from valued_amounts
    group by subscriber_id, month_start

)

select * from subscriber_months
