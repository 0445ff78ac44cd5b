with

months as (

    select * from {{ ref('int_calendar__months') }}

),

observation_dates as (

    select
        month_start as observation_date,
        started_at as observed_at
    from months
    union all
    select
        {{ local_date(as_of()) }} as observation_date,
        {{ as_of() }} as observed_at

),

-- the lead is the time that a campaign needs, and what happened within it may be the leaving itself
dated_windows as (

    select
        observation_date,
        max(observed_at) as observed_at,
        max(observed_at) = {{ as_of() }} as is_current,
        cast(
            observation_date - interval {{ var('risk_lead_days') }} day as date
        ) as cutoff_date,
        cast(
            observation_date - interval {{ var('risk_lead_days') + 28 }} day as date
        ) as window_start_date,
        cast(
            observation_date - interval {{ var('risk_lead_days') + 56 }} day as date
        ) as earlier_start_date,
        cast(
            observation_date - interval {{ var('risk_lead_days') + 90 }} day as date
        ) as quarter_start_date,
        cast(
            observation_date + interval {{ var('risk_horizon_days') }} day as date
        ) as horizon_end_date
    from observation_dates
    group by observation_date

),

windows as (

    select
        observation_date,
        observed_at,
        is_current,
        cutoff_date,
        window_start_date,
        earlier_start_date,
        quarter_start_date,
        horizon_end_date,
        {{ first_instant('cutoff_date') }} as cutoff_at,
        {{ first_instant('window_start_date') }} as window_starts_at,
        {{ first_instant('quarter_start_date') }} as quarter_starts_at,
        {{ first_instant('horizon_end_date') }} as horizon_ends_at
    from dated_windows

),

-- an outcome is known once its last possible end is final; older months are another service
known_windows as (

    select * from windows
    where
        is_current
        or horizon_ends_at + interval {{ var('churn_grace_hours') }} hour <= {{ as_of() }}
    qualify
        is_current
        or row_number() over (
            partition by is_current
            order by observation_date desc
        ) <= {{ var('risk_months') }}

)

select * from known_windows
