with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

-- the states that held just before the cut-off
held_states as (

    select
        observations.subscriber_id,
        observations.observation_date,
        states.status,
        states.own_currency_mrr,
        coalesce(states.cancel_requested_at < windows.cutoff_at, false) as is_cancel_requested
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join states
        on
            observations.subscriber_id = states.subscriber_id
            and windows.cutoff_at > states.valid_from
            and windows.cutoff_at <= {{ open_end('states.valid_to') }}

),

state_windows as (

    select
        subscriber_id,
        observation_date,
        {{ has_state('past_due') }} as is_past_due,
        {{ all_paying_are_cancelled() }} as is_cancel_requested
    from held_states
    group by subscriber_id, observation_date

)

select * from state_windows
