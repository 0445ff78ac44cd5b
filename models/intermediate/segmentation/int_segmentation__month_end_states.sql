with

states as (

    select * from {{ ref('int_subscriptions__held_states') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- the states that held just before the end of the month, or of its elapsed part
held_states as (

    select
        states.subscriber_id,
        months.month_start,
        states.status,
        states.own_currency_mrr,
        coalesce(states.cancel_requested_at < months.elapsed_until_at, false)
            as is_cancel_requested
    from states
    inner join months
        on
            states.valid_from < months.elapsed_until_at
            and {{ open_end('states.valid_to') }} >= months.elapsed_until_at

),

month_end_states as (

    select
        subscriber_id,
        month_start,
        max(case when status = 'active' and own_currency_mrr > 0 then 1 else 0 end) = 1
            as is_paid_on_time,
        {{ has_state('past_due') }} as is_past_due,
        {{ has_state('trialing') }} as is_trialing,
        {{ all_paying_are_cancelled() }} as is_cancel_requested
    from held_states
    group by subscriber_id, month_start

)

select * from month_end_states
