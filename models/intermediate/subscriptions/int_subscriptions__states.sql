with

changes as (

    select * from {{ ref('stg_billing__subscription_changes') }}

),

currencies as (

    select * from {{ ref('iso_currencies') }}

),

-- of the changes at one instant the last recorded one holds; the others are states of no length
holding_changes as (

    select *
    from changes
    qualify
        row_number() over (
            partition by subscription_id, changed_at
            order by recorded_at desc, change_id desc
        ) = 1

),

change_intervals as (

    select
        holding_changes.*,
        lead(changed_at) over (partition by subscription_id order by changed_at) as next_changed_at,
        -- equal within a run of past_due, since only other states raise it
        sum(case when status = 'past_due' then 0 else 1 end) over (
            partition by subscription_id
            order by changed_at
            rows between unbounded preceding and current row
        ) as run_number
    from holding_changes

),

change_intervals_with_grace as (

    select
        change_intervals.*,
        coalesce(next_changed_at, {{ as_of() }}) as known_until_at,
        min(case when status = 'past_due' then changed_at end) over (
            partition by subscription_id, run_number
        ) + interval {{ var('past_due_grace_days') * 24 }} hour as grace_ends_at
    from change_intervals

),

states_up_to_grace as (

    select
        change_id,
        status,
        changed_at as valid_from,
        case
            when status = 'past_due' and grace_ends_at < known_until_at then grace_ends_at
            else next_changed_at
        end as valid_to
    from change_intervals_with_grace
    where
        status <> 'past_due'
        or grace_ends_at > changed_at

),

states_after_grace as (

    select
        change_id,
        'unpaid' as status,
        greatest(changed_at, grace_ends_at) as valid_from,
        next_changed_at as valid_to
    from change_intervals_with_grace
    where
        status = 'past_due'
        and grace_ends_at < known_until_at

),

state_intervals as (

    select * from states_up_to_grace
    union all
    select * from states_after_grace

),

states as (

    select
        state_intervals.change_id,
        holding_changes.subscription_id,
        holding_changes.subscriber_id,
        state_intervals.status,
        holding_changes.plan_id,
        holding_changes.billing_period_unit,
        holding_changes.billing_period_count,
        holding_changes.amount_minor,
        holding_changes.currency,
        case
            when state_intervals.status in ('active', 'past_due')
                then {{ monthly_amount(
                    'holding_changes.amount_minor',
                    'currencies.minor_unit_digits',
                    'holding_changes.billing_period_unit',
                    'holding_changes.billing_period_count',
                ) }}
            else cast(0 as decimal(18, 4))
        end as own_currency_mrr,
        holding_changes.cancel_requested_at,
        case when state_intervals.status = 'ended' then holding_changes.end_reason end
            as end_reason,
        holding_changes.cancel_feedback,
        state_intervals.valid_from,
        state_intervals.valid_to
    from state_intervals
    inner join holding_changes
        on state_intervals.change_id = holding_changes.change_id
    inner join currencies
        on holding_changes.currency = currencies.currency

)

select * from states
