with

marketing_spend as (

    select * from {{ ref('stg_touchpoints__marketing_spend') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

-- valued and rounded row by row, at the rate of its month
valued_spend as (

    select
        marketing_spend.acquisition_channel,
        valued_months.month_start,
        {{ value_at(
            as_money(ten_thousandths('marketing_spend.amount_minor', 'currencies.minor_unit_digits')),
            'valued_months.rate',
        ) }} as amount
    from marketing_spend
    inner join currencies
        on marketing_spend.currency = currencies.currency
    inner join valued_months
        on
            marketing_spend.currency = valued_months.currency
            and {{ month_start('marketing_spend.spend_date') }} = valued_months.month_start
    where marketing_spend.amount_minor <> 0

),

acquisition_costs as (

    select
        month_start,
        acquisition_channel,
        cast(sum(amount) as decimal(18, 4)) as acquisition_cost_amount
    from valued_spend
    group by month_start, acquisition_channel

)

select * from acquisition_costs
