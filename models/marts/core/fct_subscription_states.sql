with

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

states_with_month as (

    select
        states.*,
        {{ local_month('valid_from') }} as start_month
    from states

),

valued_states as (

    select
        states_with_month.subscription_id,
        states_with_month.subscriber_id,
        states_with_month.status,
        states_with_month.plan_id,
        states_with_month.billing_period_unit,
        states_with_month.billing_period_count,
        states_with_month.currency,
        states_with_month.valid_from,
        states_with_month.valid_to,
        case
            when states_with_month.own_currency_mrr = 0 then cast(0 as decimal(18, 4))
            else {{ value_at('states_with_month.own_currency_mrr', 'valued_months.rate') }}
        end as mrr_amount,
        states_with_month.cancel_requested_at,
        states_with_month.end_reason,
        states_with_month.cancel_feedback
    from states_with_month
    left join valued_months
        on
            states_with_month.currency = valued_months.currency
            and states_with_month.start_month = valued_months.month_start

)

select * from valued_states
