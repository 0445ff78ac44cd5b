with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

viewing_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

viewing_windows as (

    select
        observations.subscriber_id,
        observations.observation_date,
        cast(
            count(*) filter (
                where viewing_days.viewing_date >= windows.window_start_date
            ) as integer
        ) as viewing_days_28d,
        cast(
            count(*) filter (
                where viewing_days.viewing_date < windows.window_start_date
            ) as integer
        ) as earlier_viewing_days_28d,
        cast(
            coalesce(
                sum(viewing_days.seen_seconds) filter (
                    where viewing_days.viewing_date >= windows.window_start_date
                ), 0
            ) as bigint
        ) as watched_seconds_28d
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join viewing_days
        on
            observations.subscriber_id = viewing_days.subscriber_id
            and windows.earlier_start_date <= viewing_days.viewing_date
            and windows.cutoff_date > viewing_days.viewing_date
    group by observations.subscriber_id, observations.observation_date

)

select * from viewing_windows
