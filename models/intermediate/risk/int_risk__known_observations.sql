with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

-- of a lifetime that began after the cut-off nothing is known, not even that it is one
known_lifetimes as (

    select
        observations.subscriber_id,
        observations.observation_date,
        observations.is_current,
        observations.outcome,
        windows.cutoff_at,
        case
            when lifetimes.started_at < windows.cutoff_at
                then cast({{ days_between(
                    local_date('lifetimes.started_at'), 'windows.cutoff_date'
                ) }} as integer)
            else 0
        end as tenure_days,
        case
            when lifetimes.started_at < windows.cutoff_at then observations.lifetime_number - 1
            else 0
        end as earlier_lifetimes
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join lifetimes
        on
            observations.subscriber_id = lifetimes.subscriber_id
            and observations.lifetime_number = lifetimes.lifetime_number

),

-- what was held just before the cut-off, in this lifetime or, before a newcomer's, an earlier one
known_observations as (

    select
        known_lifetimes.subscriber_id,
        known_lifetimes.observation_date,
        known_lifetimes.is_current,
        known_lifetimes.outcome,
        known_lifetimes.tenure_days,
        known_lifetimes.earlier_lifetimes,
        coalesce(level_values.start_mrr_amount, 0) as mrr_amount,
        coalesce(level_values.plan_tier, 'not known yet') as plan_tier,
        coalesce(
            {{ billing_period(
                'level_values.billing_period_unit', 'level_values.billing_period_count'
            ) }},
            'not known yet'
        ) as billing_period,
        coalesce(
            cast(level_values.billing_period_count as double)
            * case level_values.billing_period_unit
                when 'year' then 366 when 'month' then 31 when 'week' then 7 else 1
            end > 31,
            false
        ) as has_long_period,
        subscribers.acquisition_channel
    from known_lifetimes
    inner join subscribers
        on known_lifetimes.subscriber_id = subscribers.subscriber_id
    left join level_values
        on
            known_lifetimes.subscriber_id = level_values.subscriber_id
            and known_lifetimes.cutoff_at > level_values.started_at
            and known_lifetimes.cutoff_at <= {{ open_end('level_values.ended_at') }}

)

select * from known_observations
