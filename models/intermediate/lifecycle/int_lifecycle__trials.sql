with

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

states_with_holders as (

    select
        states.*,
        lag(own_currency_mrr) over (
            partition by subscription_id order by valid_from
        ) as own_currency_mrr_before,
        lag(subscriber_id) over (
            partition by subscription_id order by valid_from
        ) as subscriber_id_before
    from states

),

states_in_order as (

    select
        states_with_holders.*,
        own_currency_mrr > 0 as is_paying,
        coalesce(
            own_currency_mrr_before > 0 and subscriber_id_before = subscriber_id, false
        ) as was_paying,
        -- equal within an unbroken run of trialing of one holder, since all else raises it
        sum(
            case when status = 'trialing' and subscriber_id_before = subscriber_id then 0 else 1 end
        ) over (
            partition by subscription_id
            order by valid_from
            rows between unbounded preceding and current row
        ) as run_number
    from states_with_holders

),

trials as (

    select
        subscription_id,
        run_number,
        subscriber_id,
        min_by(plan_id, valid_from) as plan_id,
        min(valid_from) as started_at,
        case when count(*) = count(valid_to) then max(valid_to) end as ended_at
    from states_in_order
    where status = 'trialing'
    group by subscription_id, subscriber_id, run_number

),

-- a billing system may sell the paid time as another subscription, a moment later
conversions as (

    select
        trials.subscription_id,
        trials.run_number,
        min(states_in_order.valid_from) as converted_at
    from trials
    inner join states_in_order
        on
            trials.subscriber_id = states_in_order.subscriber_id
            and trials.ended_at <= states_in_order.valid_from
            and trials.ended_at + interval {{ var('churn_grace_hours') }} hour
            >= states_in_order.valid_from
    where
        states_in_order.is_paying
        and not states_in_order.was_paying
    group by trials.subscription_id, trials.run_number

),

trials_with_outcome as (

    select
        trials.subscription_id,
        trials.subscriber_id,
        trials.plan_id,
        trials.started_at,
        trials.ended_at,
        {{ local_month('trials.ended_at') }} as end_month,
        conversions.converted_at,
        case
            when conversions.converted_at is not null then 'converted'
            when trials.ended_at + interval {{ var('churn_grace_hours') }} hour < {{ as_of() }}
                then 'lapsed'
            else 'pending'
        end as outcome
    from trials
    left join conversions
        on
            trials.subscription_id = conversions.subscription_id
            and trials.run_number = conversions.run_number

)

select * from trials_with_outcome
