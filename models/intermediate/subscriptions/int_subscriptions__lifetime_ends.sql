with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

valued_months as (

    select * from {{ ref('int_currency__valued_months') }}

),

-- what was held until the end: the paying subscriptions, or the paused ones out of a pause
last_held_states as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.ended_at,
        states.subscription_id,
        coalesce({{ value_at('states.own_currency_mrr', 'valued_months.rate') }}, 0) as mrr_amount
    from lifetimes
    inner join states
        on
            lifetimes.subscriber_id = states.subscriber_id
            and lifetimes.last_level_started_at >= states.valid_from
            and lifetimes.last_level_started_at < {{ open_end('states.valid_to') }}
    left join valued_months
        on
            states.currency = valued_months.currency
            and lifetimes.end_month = valued_months.month_start
    where
        (lifetimes.was_paying and states.own_currency_mrr > 0)
        or (not lifetimes.was_paying and states.status = 'paused')

),

deciding_subscriptions as (

    select *
    from last_held_states
    qualify
        row_number() over (
            partition by subscriber_id, lifetime_number
            order by mrr_amount desc, subscription_id asc
        ) = 1

),

-- a request stands on the row that ends the subscription, or on the one before it; who takes a
-- subscription over asks for themselves
states_with_request as (

    select
        states.*,
        coalesce(
            case
                when
                    subscriber_id = lag(subscriber_id) over (
                        partition by subscription_id order by valid_from
                    )
                    then cancel_requested_at
            end,
            lag(cancel_requested_at) over (partition by subscription_id order by valid_from)
        ) as standing_request_at
    from states

),

-- whoever asked for one of two to end, and not for the other, asked for no end of the lifetime
lifetime_requests as (

    select
        last_held_states.subscriber_id,
        last_held_states.lifetime_number,
        case
            when count(*) = count(states_with_request.standing_request_at)
                then max(states_with_request.standing_request_at)
        end as cancel_requested_at
    from last_held_states
    inner join states_with_request
        on
            last_held_states.subscription_id = states_with_request.subscription_id
            and last_held_states.ended_at = states_with_request.valid_from
    group by last_held_states.subscriber_id, last_held_states.lifetime_number

),

lifetime_ends as (

    select
        deciding_subscriptions.subscriber_id,
        deciding_subscriptions.lifetime_number,
        case
            when states.subscriber_id <> deciding_subscriptions.subscriber_id then 'voluntary'
            when states.status = 'unpaid' then 'involuntary'
            when states.status = 'ended' and states.end_reason = 'payment_failed' then 'involuntary'
            when states.status = 'ended' and states.end_reason in ('admin', 'gift_ended')
                then 'other'
            when states.status in ('active', 'past_due') and states.amount_minor = 0 then 'other'
            else 'voluntary'
        end as end_type,
        case
            when states.status = 'unpaid' then 'payment_failed'
            else states.end_reason
        end as end_reason,
        states.cancel_feedback,
        lifetime_requests.cancel_requested_at
    from deciding_subscriptions
    inner join states
        on
            deciding_subscriptions.subscription_id = states.subscription_id
            and deciding_subscriptions.ended_at = states.valid_from
    inner join lifetime_requests
        on
            deciding_subscriptions.subscriber_id = lifetime_requests.subscriber_id
            and deciding_subscriptions.lifetime_number = lifetime_requests.lifetime_number

)

select * from lifetime_ends
