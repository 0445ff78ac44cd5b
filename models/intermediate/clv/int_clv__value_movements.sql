with

cash_movements as (

    select * from {{ ref('int_revenue__cash_movements') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

-- valued and rounded one by one, as revenue is
valued_movements as (

    select
        cash_movements.subscriber_id,
        cash_movements.kind,
        {{ local_date('cash_movements.moved_at') }} as moved_date,
        {{ value_at(
            as_money(ten_thousandths('cash_movements.movement_minor', 'currencies.minor_unit_digits')),
            'valued_months.rate',
        ) }} as amount
    from cash_movements
    inner join currencies
        on cash_movements.currency = currencies.currency
    inner join valued_months
        on
            cash_movements.currency = valued_months.currency
            and cash_movements.month_start = valued_months.month_start
    where cash_movements.movement_minor <> 0

),

value_movements as (

    select
        subscriber_id,
        moved_date,
        {%- for kind in ['collected', 'tax', 'refunded', 'fee'] %}
        cast(sum(case when kind = '{{ kind }}' then amount else 0 end) as decimal(18, 4))
            as {{ kind }}_amount,
        {%- endfor %}
        -- what was kept: tax is the state's, and what is refunded counts without it
        cast(sum(case when kind = 'collected' then amount else -amount end) as decimal(18, 4))
            as value_amount
    from valued_movements
    group by subscriber_id, moved_date

)

select * from value_movements
