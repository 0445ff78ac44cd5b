{%- set kept = [
    'subscription_id', 'subscriber_id', 'plan_id', 'billing_period_unit', 'billing_period_count',
    'amount_minor', 'currency', 'cancel_requested_at', 'end_reason', 'cancel_feedback',
] -%}

with

changes as (

    select * from {{ ref('stg_billing__subscription_changes') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

changes_in_order as (

    select
        changes.*,
        lead(changed_at) over (
            partition by subscription_id order by changed_at, recorded_at, change_id
        ) as next_changed_at
    from changes

),

-- of the changes at one instant the last recorded one holds; the others are states of no length
holding_changes as (

    select *
    from changes_in_order
    where {{ open_end('next_changed_at') }} > changed_at

),

past_due_changes as (

    select
        subscription_id,
        changed_at,
        coalesce(next_changed_at, {{ as_of() }}) as known_until_at,
        lag(next_changed_at) over (
            partition by subscription_id order by changed_at
        ) as past_due_until_at
    from holding_changes
    where status = 'past_due'

),

-- a row that follows on another past_due belongs to its run
past_due_changes_with_grace as (

    select
        past_due_changes.*,
        max(case when coalesce(past_due_until_at < changed_at, true) then changed_at end) over (
            partition by subscription_id
            order by changed_at
            rows between unbounded preceding and current row
        ) + interval {{ var('past_due_grace_days') * 24 }} hour as grace_ends_at
    from past_due_changes

),

outlasted_graces as (

    select
        subscription_id,
        changed_at,
        grace_ends_at
    from past_due_changes_with_grace
    where grace_ends_at < known_until_at

),

changes_with_grace as (

    select
        holding_changes.*,
        outlasted_graces.grace_ends_at
    from holding_changes
    left join outlasted_graces
        on
            holding_changes.subscription_id = outlasted_graces.subscription_id
            and holding_changes.changed_at = outlasted_graces.changed_at

),

state_intervals as (

    select
        {{ kept | join(', ') }},
        case when grace_ends_at <= changed_at then 'unpaid' else status end as status,
        changed_at as valid_from,
        case when grace_ends_at > changed_at then grace_ends_at else next_changed_at end as valid_to
    from changes_with_grace

    union all

    -- a grace that ends while its row holds makes two states of it
    select
        {{ kept | join(', ') }},
        'unpaid' as status,
        grace_ends_at as valid_from,
        next_changed_at as valid_to
    from changes_with_grace
    where grace_ends_at > changed_at

),

states as (

    select
        state_intervals.subscription_id,
        state_intervals.subscriber_id,
        state_intervals.status,
        state_intervals.plan_id,
        state_intervals.billing_period_unit,
        state_intervals.billing_period_count,
        state_intervals.amount_minor,
        state_intervals.currency,
        case
            when state_intervals.status in ('active', 'past_due')
                then {{ monthly_amount(
                    'state_intervals.amount_minor',
                    'currencies.minor_unit_digits',
                    'state_intervals.billing_period_unit',
                    'state_intervals.billing_period_count',
                ) }}
            else cast(0 as decimal(18, 4))
        end as own_currency_mrr,
        state_intervals.cancel_requested_at,
        case when state_intervals.status = 'ended' then state_intervals.end_reason end
            as end_reason,
        state_intervals.cancel_feedback,
        state_intervals.valid_from,
        state_intervals.valid_to
    from state_intervals
    inner join currencies
        on state_intervals.currency = currencies.currency

)

select * from states
