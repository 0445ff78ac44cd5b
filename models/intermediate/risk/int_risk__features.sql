with

known_observations as (

    select * from {{ ref('int_risk__known_observations') }}

),

state_windows as (

    select * from {{ ref('int_risk__state_windows') }}

),

billing_windows as (

    select * from {{ ref('int_risk__billing_windows') }}

),

viewing_windows as (

    select * from {{ ref('int_risk__viewing_windows') }}

),

touchpoint_windows as (

    select * from {{ ref('int_risk__touchpoint_windows') }}

),

-- counts are capped where one more says little, so that no single account bends the line
features as (

    select
        known_observations.subscriber_id,
        known_observations.observation_date,
        known_observations.is_current,
        known_observations.outcome,
        known_observations.tenure_days,
        ln(1 + known_observations.tenure_days / cast(30.4375 as double)) as log_tenure_months,
        known_observations.tenure_days < 31 as is_first_month,
        cast(least(known_observations.earlier_lifetimes, 5) as integer) as earlier_lifetimes,
        coalesce(billing_windows.is_paid_beyond_horizon, false) as is_paid_beyond_horizon,
        -- of who has no invoice nobody knows when the period ends
        known_observations.has_long_period
        and not coalesce(billing_windows.is_paid_beyond_horizon, true) as is_long_renewal_due,
        coalesce(state_windows.is_cancel_requested, false) as is_cancel_requested,
        coalesce(state_windows.is_past_due, false) as is_past_due,
        cast(least(billing_windows.failed_invoices_90d, 3) as integer) as failed_invoices,
        ln(1 + cast(known_observations.mrr_amount as double)) as log_mrr,
        coalesce(billing_windows.is_discounted, false) as is_discounted,
        coalesce(viewing_windows.viewing_days_28d, 0) as viewing_days,
        cast(
            coalesce(viewing_windows.viewing_days_28d, 0)
            - coalesce(viewing_windows.earlier_viewing_days_28d, 0) as integer
        ) as viewing_days_change,
        coalesce(viewing_windows.viewing_days_28d, 0) = 0 as has_not_watched,
        ln(1 + coalesce(viewing_windows.watched_seconds_28d, 0) / cast(3600 as double))
            as log_watched_hours,
        coalesce(
            viewing_windows.failed_plays_28d
            / cast(nullif(viewing_windows.plays_28d, 0) as double),
            0
        ) as failed_play_share,
        -- of the time before the screen, a second watched being 1,000 ms
        coalesce(
            viewing_windows.rebuffer_ms_28d
            / nullif(
                viewing_windows.rebuffer_ms_28d + 1000 * viewing_windows.measured_seconds_28d, 0
            ),
            0
        ) as stalled_share,
        cast(least(coalesce(touchpoint_windows.tickets_90d, 0), 3) as integer) as tickets,
        cast(least(coalesce(touchpoint_windows.complaints_90d, 0), 3) as integer) as complaints,
        known_observations.plan_tier,
        known_observations.billing_period,
        known_observations.acquisition_channel,
        coalesce(billing_windows.payment_method, 'none yet') as payment_method
    from known_observations
    left join state_windows
        on
            known_observations.subscriber_id = state_windows.subscriber_id
            and known_observations.observation_date = state_windows.observation_date
    left join billing_windows
        on
            known_observations.subscriber_id = billing_windows.subscriber_id
            and known_observations.observation_date = billing_windows.observation_date
    left join viewing_windows
        on
            known_observations.subscriber_id = viewing_windows.subscriber_id
            and known_observations.observation_date = viewing_windows.observation_date
    left join touchpoint_windows
        on
            known_observations.subscriber_id = touchpoint_windows.subscriber_id
            and known_observations.observation_date = touchpoint_windows.observation_date

)

select * from features
