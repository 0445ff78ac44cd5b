with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

last_months as (

    select max(month_start) as month_start
    from months

),

first_states as (

    select
        subscriber_id,
        min(valid_from) as first_state_at
    from states
    group by subscriber_id

),

-- a subscription may be older than the account that its subscriber has today
arrivals as (

    select
        subscribers.subscriber_id,
        {{ local_month(
            'least(subscribers.signed_up_at, coalesce(first_states.first_state_at, subscribers.signed_up_at))'
        ) }} as first_month
    from subscribers
    left join first_states
        on subscribers.subscriber_id = first_states.subscriber_id

),

subscriber_months as (

    select
        arrivals.subscriber_id,
        arrivals.first_month,
        months.month_start,
        months.elapsed_until_at,
        months.elapsed_until_date,
        months.month_start = last_months.month_start as is_latest,
        months.is_complete
    from arrivals
    inner join months
        on arrivals.first_month <= months.month_start
    cross join last_months

)

select * from subscriber_months
