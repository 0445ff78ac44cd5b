with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}
    where plays > 0

),

-- seconds watched where stalling was measured: the others say nothing of how it played
playback_windows as (

    select
        observations.subscriber_id,
        observations.observation_date,
        cast(sum(subscriber_days.plays) as bigint) as plays_28d,
        cast(sum(subscriber_days.failed_plays) as bigint) as failed_plays_28d,
        sum(subscriber_days.rebuffer_ms) as rebuffer_ms_28d,
        sum(subscriber_days.measured_seconds) as measured_seconds_28d
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join subscriber_days
        on
            observations.subscriber_id = subscriber_days.subscriber_id
            and windows.window_start_date <= subscriber_days.viewing_date
            and windows.cutoff_date > subscriber_days.viewing_date
    group by observations.subscriber_id, observations.observation_date

)

select * from playback_windows
